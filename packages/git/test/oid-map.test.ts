import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { ArtifactReader, RedactionPolicy } from "@keepsake/core";
import { git } from "../src/index.js";
import { capture, commitFile, extract, notes, run, write } from "./harness.js";
import { captureRedacted, POLICY, redact, secret, type Redacted } from "./redaction-harness.js";

const PATH = "objects/redacted-oids";

function mapIn(reader: ArtifactReader, path = PATH): Map<string, string> | undefined {
  const file = reader.entries.find((entry) => entry.path === path)?.file;
  if (file === undefined) return undefined;
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return new Map(lines.map((line) => line.split(" ") as [string, string]));
}

/** Ids of commits, the newest first. */
function commitsOf(dir: string): string[] {
  return run(dir, "log", "--format=%H").split("\n");
}

describe("the ids that a rewritten history had", () => {
  const key = secret();
  let dir: string;
  let redacted: Redacted;

  beforeAll(async () => {
    dir = notes(4);
    commitFile(dir, "a.md", `uses ${key}\n`);
    commitFile(dir, "b.md", "b\n");
    run(dir, "tag", "-a", "-m", "first", "v1");
    commitFile(dir, "c.md", "other\n");
    redacted = await captureRedacted(dir, { oidMap: true });
  });

  it("are told, each with the one that the object has now, and nothing else", () => {
    const map = mapIn(redacted) ?? new Map<string, string>();
    const now = extract(redacted);
    const [before, after] = [commitsOf(dir), commitsOf(now)];
    expect(before.map((oid) => map.get(oid) ?? oid)).toEqual(after);
    expect(before.filter((oid) => map.has(oid))).toEqual(before.slice(0, 3));
    expect(map.get(run(dir, "rev-parse", "v1"))).toBe(run(now, "rev-parse", "v1"));
    expect(map.get(run(dir, "rev-parse", "HEAD:a.md"))).toBe(run(now, "rev-parse", "HEAD:a.md"));
    const file = redacted.entries.find(({ path }) => path === PATH)?.file ?? "";
    expect(readFileSync(file, "utf8")).toMatch(/^(?:[0-9a-f]{40} [0-9a-f]{40}\n)+$/);
  });

  it("are not told unless that is asked for", async () => {
    expect(mapIn(await captureRedacted(dir))).toBeUndefined();
    for (const history of ["omit", "keep"] as const)
      expect(mapIn(await captureRedacted(dir, { history, oidMap: true }))).toBeUndefined();
  });

  it("are none where nothing changed", async () => {
    expect(mapIn(await captureRedacted(notes(3), { oidMap: true }))).toBeUndefined();
  });

  it("are those at first when a history is rewritten twice, and go with a rewrite that is not asked for them", async () => {
    const other: RedactionPolicy = {
      ...POLICY,
      scan: (text) =>
        [...text.matchAll(/other/g)].map(({ index }) => ({ start: index, end: index + 5, rule: "acme_key" })),
    };
    const twice = await redact(redacted, { oidMap: true }, other);
    const map = mapIn(twice) ?? new Map<string, string>();
    expect(commitsOf(dir).map((oid) => map.get(oid) ?? oid)).toEqual(commitsOf(extract(twice)));
    const between = commitsOf(extract(redacted)).slice(0, 3);
    expect(between.filter((oid) => map.has(oid))).toEqual([]);
    for (const history of ["rewrite", "keep", "omit"] as const)
      expect(mapIn(await redact(redacted, { history }, other))).toBeUndefined();
  });

  it("are told of each repository by itself", async () => {
    const outer = notes(2);
    const inner = join(outer, "sub");
    write(outer, ".gitignore", "sub\n");
    run(outer, "init", "-q", "-b", "main", "sub");
    commitFile(inner, "a.md", `${key}\n`);
    const both = await captureRedacted(outer, { oidMap: true });
    expect(mapIn(both)).toBeUndefined();
    expect(mapIn(both, `nested/sub/${PATH}`)?.has(run(inner, "rev-parse", "HEAD"))).toBe(true);
  });

  it("are no file that a live repository could have", async () => {
    writeFileSync(join(dir, ".git", PATH), "a b\n");
    expect(mapIn(await capture(git(), dir))).toBeUndefined();
  });
});
