import { join } from "node:path";
import { writeTree } from "@keepsake/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { git } from "./support/agent-memory.js";
import { CliCase } from "./support/cli-case.js";
import { havePrograms } from "./support/programs.js";
import { randomText } from "./support/random-text.js";
import { runCli } from "./support/run-cli.js";

const token = (): string => `ghp_${randomText(36)}`;

interface Found {
  readonly artifact: string;
  readonly line?: number;
  readonly commit?: string;
  readonly ref?: string;
}

/** Writes a file, commits it and writes it again without the secret. @returns the commit that had it */
async function told(folder: string, path: string, text: string, message = "told"): Promise<string> {
  await writeTree(folder, { [path]: text });
  await git(folder, "add", "-A");
  await git(folder, "commit", "-q", "-m", message);
  const commit = await git(folder, "rev-parse", "HEAD");
  await writeTree(folder, { [path]: "nothing\n" });
  await git(folder, "commit", "-q", "-a", "-m", "untold");
  return commit;
}

describe.runIf(havePrograms("git"))("a secret in a history", () => {
  let box: CliCase;
  let found: readonly Found[];
  const commits: Record<string, string> = {};
  const at = (artifact: string): Found | undefined => found.find((one) => one.artifact === artifact);

  beforeAll(async () => {
    box = await CliCase.make();
    const { memory } = box;
    const inner = join(memory, "sub");
    await writeTree(memory, { "a.md": "a\n", "sub/b.md": "b\n", ".gitignore": "sub\n" });
    for (const folder of [memory, inner]) await git(folder, "init", "-q", "-b", "main");
    commits["old"] = await told(memory, "deep/old.md", `# Old\n\nkey ${token()}\n`);
    commits["json"] = await told(memory, "old.json", `{\n  "a": 1,\n  "b": "\\u0067${token().slice(1)}"\n}\n`);
    commits["message"] = await told(memory, "c.md", "c\n", `subject\n\nbody\nuse ${token()}`);
    commits["inner"] = await told(inner, "b.md", `b\n${token()}\n`);
    await git(memory, "checkout", "-q", "-b", "draft/one");
    commits["branch"] = await told(memory, "branch.md", `${"x\n".repeat(6)}${token()}\n`);
    await git(memory, "checkout", "-q", "main");
    await git(memory, "checkout", "-q", "--detach");
    commits["tag"] = await told(memory, "tag.md", `${token()}\n`);
    await git(memory, "tag", "-a", "-m", "first", "v1");
    await git(memory, "checkout", "-q", "main");
    await git(memory, "checkout", "-q", "--detach");
    commits["lost"] = await told(memory, "lost.md", `\n${token()}\n`);
    await git(memory, "checkout", "-q", "main");
    await git(memory, "checkout", "-q", "-b", `wip_${token()}`);
    commits["named"] = await told(memory, "named.md", `${token()}\n`);
    await git(memory, "checkout", "-q", "main");
    await git(memory, "repack", "-q", "-a", "-d");
    const run = await box.runLive("scan");
    expect(run, run.stderr).toMatchObject({ code: 3 });
    ({ findings: found } = JSON.parse(run.stdout) as { findings: Found[] });
    return () => box[Symbol.asyncDispose]();
  }, 60_000);

  it.each([
    ["old", "memory_files/deep/old.md", 3, "refs/heads/main"],
    ["json", "memory_files/old.json", 3, "refs/heads/main"],
    ["message", "git/commit", 4, "refs/heads/main"],
    ["inner", "memory_files/sub/b.md", 2, "refs/heads/main"],
    ["branch", "memory_files/branch.md", 7, "refs/heads/draft/one"],
    ["tag", "memory_files/tag.md", 1, "refs/tags/v1"],
    ["named", "memory_files/named.md", 1, "refs/heads/wip_[REDACTED:github_token]"],
  ])("is told with its line, its commit and what leads there: %s", (name, artifact, line, ref) => {
    expect(at(artifact)).toMatchObject({ line, commit: commits[name], ref });
  });

  it("has no ref where only a reflog leads to it", () => {
    expect(at("memory_files/lost.md")).toMatchObject({ line: 2, commit: commits["lost"] });
    expect(at("memory_files/lost.md")).not.toHaveProperty("ref");
  });

  it("stands in the table with all of it", async () => {
    const run = await runCli(["scan", "--root", box.root, box.memory], { cwd: box.temp.path });
    const short = (name: string): string => commits[name]?.slice(0, 12) ?? "";
    expect(run.stdout).toContain(`memory_files/deep/old.md:3 in commit ${short("old")} of main `);
    expect(run.stdout).toContain(`memory_files/branch.md:7 in commit ${short("branch")} of draft/one `);
    expect(run.stdout).toContain(`memory_files/tag.md:1 in commit ${short("tag")} of tag v1 `);
    expect(run.stdout).toContain(`memory_files/lost.md:2 in commit ${short("lost")} `);
  });

  it("is told the same of a snapshot", async () => {
    await box.snapshot();
    const run = await box.run("scan", ["latest"]);
    const { findings } = JSON.parse(run.stdout) as { findings: Found[] };
    expect(findings).toContainEqual(
      expect.objectContaining({ artifact: "memory_files/deep/old.md", line: 3, ref: "refs/heads/main" }),
    );
  });
});
