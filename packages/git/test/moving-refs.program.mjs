// Moves refs/heads/a and then refs/heads/z to one commit after the other, with a short rest, until it is killed.
// Arguments: the git directory, and a file with one commit id a line.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [gitDir = "", list = ""] = process.argv.slice(2);
const commits = readFileSync(list, "utf8").trim().split("\n");
const rest = new Int32Array(new SharedArrayBuffer(4));
const temporary = join(gitDir, "objects", "moving");
for (let round = 0; ; round++) {
  const oid = commits[Math.min(round, commits.length - 1)];
  for (const name of ["a", "z"]) {
    writeFileSync(temporary, `${oid}\n`);
    renameSync(temporary, join(gitDir, "refs/heads", name));
  }
  if (round === 0) process.stdout.write("moving\n");
  Atomics.wait(rest, 0, 0, 1 + ((round * 7) % 20));
}
