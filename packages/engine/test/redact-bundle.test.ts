import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { type ArtifactSource, type ByteStream, type RedactionPolicy, type SourceEntry, streamOf } from "@keepsake/core";
import { randomToken, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import type { RedactionPolicies } from "../src/workspace.js";
import { type BenchOptions, engineBench, type EngineBench } from "./support/engine-bench.js";
import { fakeCipher } from "./support/fake-codec.js";
import { folderSource } from "./support/folder-source.js";

const PATTERN = /(?<![\w-])tok_[a-z0-9]{24}/g;
const TOKENS: RedactionPolicy = {
  id: "tokens",
  rules: ["tok"],
  scan: (text) =>
    [...text.matchAll(PATTERN)].map(({ index }) => ({ start: index, end: index + "tok_".length + 24, rule: "tok" })),
};
const renamedTo =
  (rule: string): RedactionPolicy["scan"] =>
  (text, where) =>
    TOKENS.scan(text, where).map((finding) => ({ ...finding, rule }));
const GONE = "[REDACTED:tok]";
const ANA = { agent: "ana" };
const LATEST = { ...ANA, ref: "latest" };

const token = (): string => randomToken("tok_", 24);

/** A source of entries that a folder cannot have: links, folders, odd names, things left out. */
function sourceOf(entries: readonly SourceEntry[], more: Partial<ArtifactSource> = {}) {
  return {
    ...folderSource("notes"),
    ...more,
    open: async () => ({
      claims: [],
      pin: async () => "held" as const,
      async *entries() {
        yield* entries;
      },
      [Symbol.asyncDispose]: async () => undefined,
    }),
  };
}

/** A stream that may be read more than once. */
const again = (content: string | Uint8Array): ByteStream => ({
  [Symbol.asyncIterator]: () => streamOf(content)[Symbol.asyncIterator](),
});
const file = (path: string, content: string | Uint8Array = "x", nameEncoding?: "percent"): SourceEntry => ({
  ...{ type: "file", path, mode: 0o644, mtimeMs: 0, content: { stream: again(content) } },
  ...(nameEncoding && { nameEncoding }),
});
const link = (path: string, target: string): SourceEntry => ({ type: "symlink", path, target, mtimeMs: 0 });

const redacting = (more: Partial<RedactionPolicies> = {}, requireClean = false): BenchOptions => ({
  profile: { redaction: { byDefault: true, policies: async () => ({ policy: TOKENS, ...more }), requireClean } },
});

async function benchOf(entries: readonly SourceEntry[], more: BenchOptions = {}): Promise<EngineBench> {
  const bench = await engineBench({ ...redacting(), sources: [sourceOf(entries)], ...more });
  await writeTree(bench.memory, { "notes/a": "x" });
  return bench;
}

async function storedBytes({ store }: EngineBench): Promise<string> {
  const all: string[] = [];
  for await (const { key } of store.list("")) {
    const { body } = await store.get(key);
    for await (const chunk of body) all.push(Buffer.from(chunk).toString("latin1"));
  }
  return all.join("");
}

describe("a source that is redacted as a whole", () => {
  const named = /name=(\w+)/g;
  /** Knows a word by its name alone. */
  const policy: RedactionPolicy = {
    id: "named",
    rules: ["word"],
    scan: (text) =>
      [...text.matchAll(named)].map(({ index, 0: { length } }) => ({
        start: index + 5,
        end: index + length,
        rule: "word",
      })),
  };

  /** Takes out what is found, but in those files; tells what was given, and how much was found in it. */
  const taking = (
    calls: Record<string, string>[],
    isLeft: (path: string) => boolean,
  ): NonNullable<ArtifactSource["redact"]> =>
    async function (staged, given) {
      const texts: Record<string, string> = {};
      for (const { pathInBundle, file: path } of staged) {
        const text = await readFile(path, "utf8");
        const found = given.scan(text, { path: pathInBundle });
        texts[pathInBundle] = `${text} ${String(found.length)}`;
        if (isLeft(pathInBundle)) continue;
        await writeFile(
          path,
          found.reduceRight((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text),
        );
      }
      calls.push(texts);
      return { matches: { word: staged.length }, artifactsTouched: Object.keys(texts), unscanned: [] };
    };

  it("comes last, gets all that it has, from what it was, and keeps its names", async () => {
    const [early, late] = [randomToken("", 32), randomToken("", 32)];
    const calls: Record<string, string>[] = [];
    const leavesOne = (path: string): boolean => path === "history/one" && calls.length < 2;
    const whole = sourceOf([file("one", `bare ${late} ${early}`), file("two-name=short", `name=${late}`)], {
      ...{ id: "history", redacts: "whole", redact: taking(calls, leavesOne) },
    });
    const notes = sourceOf([file("a", `name=${early}`)], { redact: taking([], () => false) });
    await using bench = await benchOf([], { ...redacting({ policy }), sources: [whole, notes] });
    const { manifest } = await bench.snapshotter.snapshot(ANA);
    const one = `bare ${late} ${early}`;
    // Knowing what the notes told; once more, from what it was, with what it told itself; and where something was left.
    expect(calls).toEqual([
      { "history/two-name=short": `name=${late} 1`, "history/one": `${one} 1` },
      { "history/two-name=short": `name=${late} 1`, "history/one": `${one} 2` },
      { "history/two-name=short": "name= 0", "history/one": `${one} 2` },
    ]);
    const paths = manifest?.artifacts.map(({ pathInBundle }) => pathInBundle);
    expect(paths).toEqual(["history/one", "history/two-name=short", "notes/a"]);
  });
});

describe("a redacted snapshot", () => {
  it("holds no secret in names, links, label, author, facts, and what was left out, where redacted contents alone do", async () => {
    const [inName, inFolder, inTarget, inLabel, inAuthor, inOmission, inEscaped] = Array.from({ length: 7 }, token);
    const entries = [
      file(`key-${inName}.txt`),
      file(`${inFolder}/deep/a`),
      { type: "directory" as const, path: `${inFolder}/empty`, mode: 0o755, mtimeMs: 0 },
      link("at", `key-${inName}.txt`),
      link("into", `${inFolder}/deep/a`),
      link("nowhere", `../notes/${inTarget}`.replace("../notes/", "")),
      file(`%FF-${inEscaped}`, "x", "percent"),
      {
        type: "omitted" as const,
        path: `${inOmission}.sock`,
        reason: "special_file" as const,
        detail: `at ${inOmission}`,
      },
    ];
    await using bench = await benchOf(entries);
    const asked = { ...ANA, label: `before ${inLabel}`, createdBy: `ana ${inAuthor}` };
    const { manifest, record } = await bench.snapshotter.snapshot(asked);
    const text = JSON.stringify([manifest, record]) + (await storedBytes(bench));
    const all = [inName, inFolder, inTarget, inLabel, inAuthor, inOmission, inEscaped];
    for (const secret of all) expect(text).not.toContain(secret);
    expect(manifest?.artifacts.map(({ pathInBundle, linkTarget }) => [pathInBundle, linkTarget])).toEqual([
      ["notes/%FF-[REDACTED%3Atok]", undefined],
      [`notes/${GONE}/deep/a`, undefined],
      [`notes/${GONE}/empty`, undefined],
      ["notes/at", `key-${GONE}.txt`],
      ["notes/into", `${GONE}/deep/a`],
      [`notes/key-${GONE}.txt`, undefined],
      ["notes/nowhere", GONE],
    ]);
    expect(manifest?.omitted).toEqual([
      { source: "notes", path: `${GONE}.sock`, reason: "special_file", detail: `at ${GONE}` },
    ]);
    expect([record.label, record.createdBy, record.redactionsApplied]).toEqual([`before ${GONE}`, `ana ${GONE}`, true]);
    expect(manifest?.redactions).toMatchObject({ renamed: 4, unscanned: [] });
    expect((await bench.snapshotter.verify(LATEST)).ok).toBe(true);
    // The naive way: contents alone.
    await using naive = await benchOf([...entries.slice(0, 2), file("b", token())]);
    const kept = await naive.snapshotter.snapshot({ ...ANA, redact: false });
    expect(JSON.stringify(kept.manifest)).toContain(inName);
  });

  it("keeps names that become one apart, the same way every time", async () => {
    const [one, two, three] = [token(), token(), token()].sort();
    const names = async (order: readonly string[]): Promise<string[]> => {
      await using bench = await benchOf([file(GONE, "mine"), ...order.map((name) => file(name, name.slice(4, 8)))]);
      const { manifest } = await bench.snapshotter.snapshot(ANA);
      return manifest?.artifacts.map(({ pathInBundle, sha256 }) => `${pathInBundle} ${sha256}`) ?? [];
    };
    const first = await names([one ?? "", two ?? "", three ?? ""]);
    expect(first.map((name) => name.split(" ")[0])).toEqual(
      [GONE, `${GONE}~2`, `${GONE}~3`, `${GONE}~4`].map((name) => `notes/${name}`),
    );
    expect(await names([three ?? "", one ?? "", two ?? ""])).toEqual(first);
  });

  it("has keys of state values renamed as they may be called, and their values redacted by name and value", async () => {
    const secret = token();
    const state = {
      id: "cursor",
      keys: [],
      async *capture() {
        yield { key: `cursor_${secret}`.slice(0, 64), value: { [secret]: 1, at: `x ${secret}` } };
      },
    };
    const policy = {
      ...TOKENS,
      scan: (text: string) =>
        TOKENS.scan(text.replaceAll("cursor_tok", "cursor-tok").replace(/cursor-(?=tok)/, "cursor "), { path: "" }),
    };
    await using bench = await engineBench({ ...redacting({ policy }), state: [state] });
    await writeTree(bench.memory, { "notes/a": "x" });
    const { manifest } = await bench.snapshotter.snapshot(ANA);
    expect(manifest?.artifacts.filter(({ source }) => source === "state")).toMatchObject([
      { pathInBundle: "state/cursor_-redacted-tok.json", kind: "state_cursor_-redacted-tok" },
    ]);
    expect(await storedBytes(bench)).not.toContain(secret);
  });

  it("has what was found in one place taken out of the others, where no rule knows it", async () => {
    const secret = token();
    const entries = [file("a", `bare: x${secret.slice(4)}, in part: ${secret.slice(6, 20)}`), file("b", secret)];
    await using bench = await benchOf(entries);
    const { manifest } = await bench.snapshotter.snapshot(ANA);
    expect(await storedBytes(bench)).toContain(`bare: x${GONE}, in part: ${GONE}`);
    expect(manifest?.redactions?.findings).toEqual([
      { artifact: "notes/a", rule: "tok", count: 2 },
      { artifact: "notes/b", rule: "tok", count: 1 },
    ]);
    expect(TOKENS.scan(`x${secret.slice(4)}`, { path: "a" })).toEqual([]);
  });

  it("counts what a rule found that is called as what every object has", async () => {
    const policy = { ...TOKENS, rules: ["constructor"], scan: renamedTo("constructor") };
    const entries = [file("a", `${token()} and ${token()}`), file(token(), "named"), file("b.json", `["${token()}"]`)];
    await using bench = await benchOf(entries, redacting({ policy }));
    const { manifest } = await bench.snapshotter.snapshot(ANA);
    expect(manifest?.redactions).toMatchObject({ matchesRedacted: 4 });
    expect(manifest?.redactions?.findings.map(({ rule, count }) => `${rule} ${String(count)}`).sort()).toEqual([
      ...["constructor 1", "constructor 1", "constructor 2"],
    ]);
  });

  it("leaves the live memory as it is, and is the same every time", async () => {
    await using bench = await engineBench(redacting());
    await writeTree(bench.memory, { "notes/a": `one ${token()}`, "notes/b": token() });
    const before = await treeDigest(bench.memory);
    const first = await bench.snapshotter.snapshot(ANA);
    const second = await bench.snapshotter.snapshot(ANA);
    expect(second.manifest?.bundleSha256).toBe(first.manifest?.bundleSha256);
    expect(await treeDigest(bench.memory)).toEqual(before);
  });
});

describe("the proof", () => {
  const wide = (text: string): Buffer => Buffer.concat([Buffer.from([0, 0xff]), Buffer.from(text, "utf16le")]);

  it.each([
    ["bytes", (secret: string) => Buffer.from(`\0\u0001${secret}`)],
    ["bytes in lower case and in part", (secret: string) => Buffer.from(`\0${secret.slice(3, 17)}\0`)],
    ["UTF-16 without a mark", wide],
    ["UTF-16 of the other order", (secret: string) => Buffer.concat([Buffer.from([0]), wide(secret)])],
    ["gzip", (secret: string) => gzipSync(`words ${secret}`)],
  ])("keeps a bundle from being published that holds a known secret in %s", async (_what, hidden) => {
    const secret = token();
    await using bench = await benchOf([file("note", `my ${secret}`), file("data.bin", hidden(secret))]);
    const failed: unknown = await bench.snapshotter.snapshot(ANA).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "E_REDACTION_RESIDUE", context: { artifact: "notes/data.bin", rule: "tok" } });
    expect(JSON.stringify(failed) + String(failed)).not.toContain(secret.slice(4, 16));
    expect(await storedBytes(bench)).toBe("");
    expect((await bench.snapshotter.list(ANA)).snapshots).toEqual([]);
  });

  it("sees what a source leaves although it says that it redacts, and what only the source can read", async () => {
    const secret = token();
    const lazy = { redact: async () => ({ matches: {}, artifactsTouched: [], unscanned: [] }) };
    const telling = { ...lazy, disclose: () => streamOf(`a word: ${secret}`) };
    for (const [more, content] of [
      [lazy, secret],
      [telling, "nothing to be seen"],
    ] as const) {
      const sources = [sourceOf([file("a", content)], more), folderSource("other")];
      await using bench = await engineBench({ ...redacting(), sources });
      await writeTree(bench.memory, { "other/b": `here ${secret}` });
      await expect(bench.snapshotter.snapshot(ANA)).rejects.toMatchObject({
        code: "E_REDACTION_RESIDUE",
        context: { artifact: "notes/a", rule: "tok" },
      });
    }
  });

  it("spares what a source leaves on purpose and says so", async () => {
    const secret = token();
    const keeping = {
      redact: async () => ({ matches: {}, artifactsTouched: [], unscanned: [], history: "unredacted" as const }),
    };
    const sources = [sourceOf([file("a", secret)], keeping), folderSource("other")];
    await using bench = await engineBench({ ...redacting(), sources });
    await writeTree(bench.memory, { "other/b": secret });
    const { manifest } = await bench.snapshotter.snapshot(ANA);
    expect(manifest?.redactions?.history).toEqual([{ source: "notes", outcome: "unredacted" }]);
  });

  it("holds for an encrypted bundle, and for one that is exported", async () => {
    const secret = token();
    const entries = [file("note", `my ${secret}`), file("data.bin", Buffer.from(`\0${secret}`))];
    const encoders = () => [fakeCipher()];
    const decoders = () => [fakeCipher()];
    await using bench = await benchOf(entries, { ...redacting(), encoders, decoders });
    await expect(bench.snapshotter.snapshot(ANA)).rejects.toMatchObject({ code: "E_REDACTION_RESIDUE" });
    await bench.snapshotter.snapshot({ ...ANA, redact: false });
    const to = bench.dir.join(`out.tar${fakeCipher().suffix}`);
    const exported = bench.snapshotter.export({ ...LATEST, to, redact: true });
    await expect(exported).rejects.toMatchObject({ code: "E_REDACTION_RESIDUE" });
    await expect(readFile(to)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("what is asked of a redaction", () => {
  it("may be that everything could be looked through", async () => {
    const binary = [file("note", token()), file("data.bin", Buffer.from([0, 1, 2, 255]))];
    await using bench = await benchOf(binary);
    await expect(bench.snapshotter.snapshot({ ...ANA, requireClean: true })).rejects.toMatchObject({
      code: "E_REDACTION_UNSCANNED",
      context: { unscanned: [{ path: "notes/data.bin", reason: "binary" }] },
    });
    expect(await storedBytes(bench)).toBe("");
    const { manifest } = await bench.snapshotter.snapshot(ANA);
    expect(manifest?.redactions?.unscanned).toEqual([{ path: "notes/data.bin", reason: "binary" }]);
    await using byConfiguration = await benchOf(binary, redacting({}, true));
    await expect(byConfiguration.snapshotter.snapshot(ANA)).rejects.toMatchObject({ code: "E_REDACTION_UNSCANNED" });
  });

  it("may be to block: the error names where and which rule, never what", async () => {
    const secret = token();
    const none = { id: "none", rules: [], scan: () => [] };
    const entries = [file("a", `x ${secret} ${secret}`), file(`${secret}.md`), file("c")];
    await using bench = await benchOf(entries, redacting({ policy: none, block: TOKENS }));
    const failed: unknown = await bench.snapshotter.snapshot(ANA).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: "E_REDACTION_BLOCKED",
      context: {
        findings: [
          { artifact: "notes/a", rule: "tok", count: 2 },
          { artifact: `notes/${GONE}.md`, rule: "tok", count: 1 },
        ],
      },
    });
    expect(JSON.stringify(failed) + String(failed)).not.toContain(secret);
    expect(await storedBytes(bench)).toBe("");
  });

  it("may be to warn: nothing is replaced, and it is told of", async () => {
    const secret = token();
    const words = {
      ...TOKENS,
      id: "words",
      rules: ["word"],
      scan: (text: string) =>
        [...text.matchAll(/hunter2/g)].map(({ index }) => ({ start: index, end: index + 7, rule: "word" })),
    };
    await using bench = await benchOf([file("a", `hunter2 ${secret}`)], redacting({ warn: words }));
    const { manifest } = await bench.snapshotter.snapshot(ANA);
    expect(await storedBytes(bench)).toContain(`hunter2 ${GONE}`);
    expect(manifest?.redactions?.warnings).toEqual([{ artifact: "notes/a", rule: "word", count: 1 }]);
  });
});

describe("a scan", () => {
  it("tells places and rules of a live memory, a snapshot, a bundle and a text, and no secret; nothing changes", async () => {
    const secret = token();
    await using bench = await engineBench(redacting());
    await writeTree(bench.memory, { "notes/a": `one\ntwo ${secret}\n`, "notes/bin": Buffer.from([0, 1]) });
    const before = await treeDigest(bench.memory);
    await bench.snapshotter.snapshot({ ...ANA, redact: false });
    const { bundle } = await bench.snapshotter.export({ ...LATEST, to: bench.dir.join("x.tar") });
    const wanted = { artifact: "notes/a", rule: "tok", mode: "redact", line: 2, masked: "tok_… (28 characters)" };
    for (const place of [ANA, LATEST, { memory: bench.memory }, { bundleFile: bundle }]) {
      const report = await bench.snapshotter.scan(place);
      expect(report).toEqual({
        findings: [wanted],
        unscanned: [{ path: "notes/bin", reason: "binary" }],
        artifacts: 2,
      });
    }
    const text = bench.dir.join("t.txt");
    await writeFile(text, `${"-\n".repeat(3)}${secret}`);
    expect((await bench.snapshotter.scan({ textFile: text })).findings).toEqual([
      { ...wanted, artifact: text, line: 4 },
    ]);
    expect(await bench.snapshotter.rules()).toEqual({ policies: [{ id: "tokens", mode: "redact", rules: ["tok"] }] });
    expect(await treeDigest(bench.memory)).toEqual(before);
    expect((await bench.snapshotter.list(ANA)).snapshots).toHaveLength(1);
  });

  it("tells a secret once that stands several times in a line", async () => {
    const secret = token();
    await using bench = await engineBench(redacting());
    await writeTree(bench.memory, { "notes/a": `${secret} ${secret}\n${secret}\n` });
    const { findings } = await bench.snapshotter.scan({ memory: bench.memory });
    expect(findings.map(({ line }) => line)).toEqual([1, 2]);
  });

  it("asks for a place that is one", async () => {
    await using bench = await engineBench(redacting());
    await expect(bench.snapshotter.scan({ memory: bench.dir.join("none") })).rejects.toMatchObject({
      code: "E_UNKNOWN_AGENT",
    });
    await expect(bench.snapshotter.scan({ textFile: bench.dir.join("none") })).rejects.toMatchObject({
      code: "E_NOT_FOUND",
    });
    await expect(bench.snapshotter.scan({} as never)).rejects.toMatchObject({ code: "E_USAGE" });
  });
});
