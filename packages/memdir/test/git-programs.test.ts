import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TempDir, tempDir, treeDigest, writeTree } from "@keepsake/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memdir } from "../src/index.js";
import { capture, restore, stageRestore, type TestBundle } from "./bundle.js";

let temp: TempDir;
/** what a bundle's author has */
let evil: string;
/** where it is restored */
let memory: string;
/** made by the program that git is made to run */
let ran: string;
beforeEach(async () => {
  temp = await tempDir();
  evil = temp.join("evil");
  memory = temp.join("memory");
  ran = temp.join("ran");
  await mkdir(evil);
  await mkdir(memory);
});
afterEach(async () => temp[Symbol.asyncDispose]());

const quiet = { stdio: "ignore" } as const;
const git = (folder: string, ...args: string[]): void => {
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", "-C", folder, ...args], quiet);
};

/** A repository that runs a program at every `git status`, and at every checkout. */
async function hostileRepository(folder: string): Promise<void> {
  execFileSync("git", ["init", "-q", folder], quiet);
  await writeFile(join(folder, "a.md"), "a");
  git(folder, "add", "a.md");
  git(folder, "commit", "-qm", "a");
  const script = `#!/bin/sh\ntouch ${ran}\n`;
  await writeFile(join(folder, ".git/hooks/post-checkout"), script);
  await chmod(join(folder, ".git/hooks/post-checkout"), 0o755);
  git(folder, "config", "core.fsmonitor", `touch ${ran}; false`);
}

/** Lets git do what runs programs; it may refuse. */
function useGit(folder: string): void {
  for (const command of [["status"], ["checkout", "-qf", "HEAD"]]) {
    try {
      execFileSync("git", ["-C", folder, ...command], {
        ...quiet,
        env: { ...process.env, GIT_CEILING_DIRECTORIES: temp.path },
      });
    } catch {
      // No repository by now, which is as good.
    }
  }
}

async function restored(source: string): Promise<readonly string[]> {
  const bundle = await capture(memdir(), source, temp.path);
  const { session, plan } = await stageRestore(memdir(), bundle, memory, temp.path);
  await session.commit(plan);
  await session.finish(plan);
  return plan.notices;
}

describe("a bundle's git directories among the notes", () => {
  it("would run programs as they are", async () => {
    await hostileRepository(evil);
    await cp(evil, memory, { recursive: true });
    useGit(memory);
    expect(existsSync(ran)).toBe(true);
  });

  it.each([
    ["at the top", ""],
    ["in a folder", "deep/er"],
  ])("run nothing %s, and what was left out is told", async (_where, folder) => {
    await hostileRepository(join(evil, folder));
    await hostileRepository(join(memory, "own"));
    const notices = await restored(evil);
    useGit(join(memory, folder));
    expect(existsSync(ran)).toBe(false);
    const at = folder === "" ? ".git" : `${folder}/.git`;
    expect(notices.filter((notice) => notice.includes(`${at}/config"`))).toHaveLength(1);
    expect(notices.filter((notice) => notice.includes(`${at}/hooks/post-checkout"`))).toHaveLength(1);
    expect(await readFile(join(memory, folder, "a.md"), "utf8")).toBe("a");
    execFileSync("git", ["-C", join(memory, folder), "log", "--oneline"], quiet);
  });

  it("run nothing where a file, a link or another spelling leads to them", async () => {
    await hostileRepository(temp.join("made"));
    const gitDir = temp.join("made", ".git");
    await cp(gitDir, join(evil, "pointed/x"), { recursive: true });
    await writeFile(join(evil, "pointed/.git"), "gitdir: x\n");
    await cp(gitDir, join(evil, "linked/y"), { recursive: true });
    await writeTree(join(evil, "linked"), { ".git": { link: "y" } });
    await cp(gitDir, join(evil, "bare.git"), { recursive: true });
    await mkdir(join(evil, "parted/z"), { recursive: true });
    await writeTree(join(evil, "parted"), { "z/HEAD": "ref: refs/heads/main\n", "z/commondir": "../common\n" });
    await cp(gitDir, join(evil, "parted/common"), { recursive: true });
    await writeFile(join(evil, "parted/.git"), "gitdir: z\n");
    await cp(gitDir, join(evil, "spelled/.GIT"), { recursive: true });
    await restored(evil);
    for (const name of ["pointed/x", "linked/y", "bare.git", "parted/common", "spelled/.GIT"]) {
      expect(existsSync(join(memory, name, "refs")), name).toBe(true);
      expect(existsSync(join(memory, name, "config")), name).toBe(false);
      expect(existsSync(join(memory, name, "hooks/post-checkout")), name).toBe(false);
    }
    for (const folder of ["pointed", "linked", "bare.git", "parted", "spelled"]) useGit(join(memory, folder));
    expect(existsSync(ran)).toBe(false);
  });

  it("run nothing where the rest of a git directory is there already", async () => {
    await hostileRepository(temp.join("made"));
    const gitDir = temp.join("made", ".git");
    for (const name of ["HEAD", "objects", "refs"]) {
      await cp(join(gitDir, name), join(memory, "x", name), { recursive: true });
    }
    for (const name of ["config", "hooks"]) await cp(join(gitDir, name), join(evil, "x", name), { recursive: true });
    await restored(evil);
    // The rest of the folder was not in the bundle and is gone; its settings have not come.
    expect(existsSync(join(memory, "x/config"))).toBe(false);
  });

  it("bring no list of commands of an unfinished rebase or cherry-pick", async () => {
    await hostileRepository(evil);
    const lists = ["rebase-merge/git-rebase-todo", "rebase-merge/git-rebase-todo.backup", "rebase-merge/done"];
    const all = [...lists, "sequencer/todo", "config.worktree"].map((name) => `.git/${name}`);
    for (const name of all) await writeTree(evil, { [name]: "exec true\n" });
    await writeTree(evil, { ".git/rebase-merge/message": "m", "sequencer/todo": "a note of the user's" });
    const notices = await restored(evil);
    for (const name of all) {
      expect(existsSync(join(memory, name)), name).toBe(false);
      expect(
        notices.filter((notice) => notice.includes(`"${name}"`)),
        name,
      ).toHaveLength(1);
    }
    expect(existsSync(join(memory, ".git/rebase-merge/message"))).toBe(true);
    expect(await readFile(join(memory, "sequencer/todo"), "utf8")).toBe("a note of the user's");
  });

  it("lead nowhere out of the memory", async () => {
    await hostileRepository(temp.join("elsewhere"));
    await writeTree(evil, {
      ".git": `gitdir: ${temp.join("elsewhere", ".git")}\n`,
      "up/.git": "gitdir: ../../elsewhere/.git\n",
      "in/.git": "gitdir: ../modules/in\n",
      "x/HEAD": "ref: refs/heads/main\n",
      "x/commondir": `${temp.join("elsewhere", ".git")}\n`,
    });
    const notices = await restored(evil);
    expect(existsSync(join(memory, ".git"))).toBe(false);
    expect(existsSync(join(memory, "up/.git"))).toBe(false);
    expect(existsSync(join(memory, "x/commondir"))).toBe(false);
    expect(await readFile(join(memory, "in/.git"), "utf8")).toBe("gitdir: ../modules/in\n");
    expect(notices).toHaveLength(3);
    useGit(memory);
    expect(existsSync(ran)).toBe(false);
  });
});

describe("a repository of one's own, without a git source", () => {
  it("comes back, and its settings stay as they are now", async () => {
    await hostileRepository(memory);
    const bundle: TestBundle = await capture(memdir(), memory, temp.path);
    const before = await treeDigest(memory, { mtimes: "files" });
    await writeFile(join(memory, "a.md"), "b");
    git(memory, "add", "a.md");
    expect(await restore(memdir(), bundle, memory, temp.path)).toMatchObject({ notices: [] });
    expect(await treeDigest(memory, { mtimes: "files" })).toEqual(before);
    await writeFile(join(memory, ".git/config"), "[core]\n\tbare = false\n");
    const { notices } = await restore(memdir(), bundle, memory, temp.path);
    expect(notices).toHaveLength(1);
    expect(await readFile(join(memory, ".git/config"), "utf8")).toBe("[core]\n\tbare = false\n");
  });
});

describe("folders that only look a little like one", () => {
  it("come back as they were", async () => {
    await writeTree(evil, { config: "a", "hooks/x": "b", "objects/y": "c", "topics/HEAD": "d", "topics/config": "e" });
    expect(await restored(evil)).toEqual([]);
    expect(await treeDigest(memory, { mtimes: "files" })).toEqual(await treeDigest(evil, { mtimes: "files" }));
  });
});
