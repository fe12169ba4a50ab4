import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ArtifactReader } from "@keepsake/core";
import { beforeAll, describe, expect, it } from "vitest";
import { attempt, commitFile, extract, notes, run, write } from "./harness.js";
import { captureRedacted, everythingIn, naively, redact, secret, workingCopy } from "./redaction-harness.js";

function expectSound(dir: string): void {
  expect(attempt(dir, "fsck", "--full", "--strict", "--no-dangling")).toEqual({ ok: true, text: "" });
}

/** Each puts a secret somewhere into a repository with a few commits. */
const PLACES: Readonly<Record<string, (dir: string, key: string) => void>> = {
  "an unreachable commit": (dir, key) => {
    commitFile(dir, "gone.md", `gone ${key}\n`);
    run(dir, "reset", "-q", "--hard", "HEAD~1");
    rmSync(join(dir, ".git/ORIG_HEAD"));
    run(dir, "reflog", "expire", "--expire=now", "--all");
  },
  "an old commit": (dir, key) => {
    commitFile(dir, "notes/1.md", `key ${key}\n`);
    commitFile(dir, "notes/1.md", "no more\n");
  },
  "a deleted file": (dir, key) => {
    commitFile(dir, "secrets.env", `ACME=${key}\n`);
    run(dir, "rm", "-q", "secrets.env");
    run(dir, "commit", "-q", "-m", "remove it");
  },
  "a commit message": (dir, key) => commitFile(dir, "a.md", "a\n", `use ${key}\n\nand go on`),
  "an author's name": (dir, key) => {
    write(dir, "b.md", "b\n");
    run(dir, "add", "b.md");
    run(dir, "-c", `user.name=Ana ${key}`, "commit", "-q", "-m", "b", `--author=Ana ${key} <${key}@example.org>`);
  },
  "an annotated tag": (dir, key) => {
    run(dir, "tag", "-a", "-m", `release\n\ntoken ${key}`, "v1");
  },
  "a note": (dir, key) => {
    run(dir, "notes", "add", "-m", `see ${key}`, "HEAD~1");
  },
  "the stash": (dir, key) => {
    write(dir, "notes/2.md", `stashed ${key}\n`);
    run(dir, "stash", "-q");
  },
  "an older stash": (dir, key) => {
    write(dir, "notes/2.md", `stashed ${key}\n`);
    run(dir, "stash", "-q");
    write(dir, "notes/3.md", `another\n`);
    run(dir, "stash", "-q");
  },
  "a reflog": (dir, key) => {
    commitFile(dir, "reflog.md", "a\n", `say ${key}`);
    run(dir, "commit", "-q", "--amend", "-m", "say nothing");
  },
  "the name of a packed tag": (dir, key) => {
    run(dir, "tag", "-a", "-m", "tagged", `v-${key}`);
    run(dir, "tag", "aaa");
    run(dir, "tag", "zzz");
    run(dir, "pack-refs", "--all");
  },
  "the name of a file": (dir, key) => {
    commitFile(dir, `notes/${key}.md`, "named\n");
    commitFile(dir, `${key}/inner/${key}2.md`, "named\n");
  },
  "a URL in the configuration": (dir, key) => {
    run(dir, "remote", "add", "origin", `https://ana:${key}@example.org/notes.git`);
  },
  FETCH_HEAD: (dir, key) => {
    const head = run(dir, "rev-parse", "HEAD");
    writeFileSync(join(dir, ".git/FETCH_HEAD"), `${head}\t\tbranch 'main' of https://ana:${key}@example.org/notes\n`);
  },
  "the description": (dir, key) => writeFileSync(join(dir, ".git/description"), `notes ${key}\n`),
  "a kept conflict resolution": (dir, key) => {
    write(dir, ".git/rr-cache/0123456789012345678901234567890123456789/postimage", `resolved ${key}\n`);
  },
  "the header of a merged tag": (dir, key) => {
    run(dir, "checkout", "-q", "-b", "side", "HEAD~1");
    commitFile(dir, "side.md", "side\n");
    run(dir, "tag", "-a", "-m", `merge this ${key}`, "side-1");
    run(dir, "checkout", "-q", "main");
    run(dir, "merge", "-q", "--no-edit", "-m", "merged", "side-1");
    run(dir, "tag", "-d", "side-1");
  },
  "the name of a branch": (dir, key) => {
    run(dir, "checkout", "-q", "-b", `fix/${key}`);
    commitFile(dir, "branch.md", "on it\n");
    run(dir, "config", `branch.fix/${key}.remote`, "origin");
    run(dir, "config", `branch.fix/${key}.merge`, `refs/heads/fix/${key}`);
  },
  "the index alone": (dir, key) => {
    write(dir, "staged.md", `staged ${key}\n`);
    run(dir, "add", "staged.md");
    write(dir, "staged.md", "changed again\n");
  },
};

describe.each(["loose", "packed"])("secrets all over a repository whose objects are %s", (form) => {
  const keys = new Map(Object.keys(PLACES).map((place) => [place, secret()]));
  let dir = "";
  let naive = "";
  let left = "";
  let redacted: Awaited<ReturnType<typeof captureRedacted>>;
  beforeAll(async () => {
    dir = notes(4);
    for (const [place, put] of Object.entries(PLACES)) put(dir, keys.get(place) ?? "");
    if (form === "packed") run(dir, "-c", "gc.rerereResolved=never", "gc", "-q", "--prune=never");
    naive = naively(dir, [...keys.values()]);
    redacted = await captureRedacted(dir);
    left = everythingIn(extract(redacted));
  });

  it.each([...keys])("a secret in %s is gone, where the naive way leaves it", (_place, key) => {
    expect(naive.includes(key)).toBe(true);
    expect(left.includes(key)).toBe(false);
    // What an engine is told to remove is told by its old name.
    expect(JSON.stringify({ ...redacted.outcome, removed: [] })).not.toContain(key);
  });

  it("gives a repository that git finds sound, with the same status", () => {
    const before = run(dir, "status", "--porcelain");
    const copy = workingCopy(dir, redacted);
    expectSound(copy);
    for (const name of run(copy, "ls-files", "-z").split("\0")) {
      // The engine gives files in the working tree their new names.
      if (name.includes("REDACTED")) write(copy, name, "named\n");
    }
    const after = run(copy, "status", "--porcelain").split("\n");
    expect(after.filter((line) => !line.includes(keys.get("the name of a file") ?? "")).join("\n")).toBe(before);
    expect(run(copy, "symbolic-ref", "HEAD")).toBe("refs/heads/fix/REDACTED-acme_key");
    expect(run(copy, "config", "branch.fix/REDACTED-acme_key.merge")).toBe("refs/heads/fix/REDACTED-acme_key");
    expect(run(copy, "config", "remote.origin.url")).toBe("https://ana:[REDACTED:acme_key]@example.org/notes.git");
    expect(run(copy, "stash", "list").split("\n")).toHaveLength(3);
    expect(run(copy, "show", "stash@{1}:notes/2.md")).toBe("stashed [REDACTED:acme_key]");
    expect(run(copy, "log", "--all", "--notes", "--format=%N")).toContain("see [REDACTED:acme_key]");
    expect(run(copy, "tag").split("\n")).toContain("v-REDACTED-acme_key");
    expect(run(copy, "cat-file", "tag", "v-REDACTED-acme_key")).toContain("tag v-REDACTED-acme_key");
  });

  it("is the same when done again, and finds nothing in what it has done", async () => {
    const again = await redact(redacted.captured);
    expect(digests(again)).toEqual(digests(redacted));
    const twice = await redact(redacted);
    expect(digests(twice)).toEqual(digests(redacted));
    expect(twice.outcome.matches).toEqual({});
  });
});

function digests({ entries }: ArtifactReader): readonly string[] {
  return entries.map(({ path, meta }) => `${path} ${meta.sha256}`).sort();
}
