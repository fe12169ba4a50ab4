/** The history of a memory, made by git: the same object ids each time, because names and dates are. */
import { execFileSync } from "node:child_process";

const START_S = 1_750_000_000;

export function makeRepository(dir) {
  git(dir, 0, "init", "-q", "-b", "main");
}

/** @param count which commit it is: its date follows from it */
export function commit(dir, message, count, files = ["."]) {
  git(dir, count, "add", "--", ...files);
  git(dir, count, "commit", "-q", "-m", message);
}

function git(dir, count, ...args) {
  const date = `${START_S + count * 60} +0000`;
  execFileSync("git", ["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.autocrlf=false", ...args], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      // Hooks of the user's templates would be in the memory, too.
      GIT_TEMPLATE_DIR: "",
      GIT_AUTHOR_NAME: "Ana",
      GIT_AUTHOR_EMAIL: "ana@example.com",
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: "Ana",
      GIT_COMMITTER_EMAIL: "ana@example.com",
      GIT_COMMITTER_DATE: date,
    },
  });
}
