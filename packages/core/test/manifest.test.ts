import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ArtifactMeta,
  contentDigest,
  encodeManifest,
  encodeRecord,
  fromWire,
  isSealIntact,
  type JsonObject,
  NO_GIT_HEAD,
  parseManifest,
  parseRecord,
  sealManifest,
  sha256Hex,
  type SnapshotRecord,
  toWire,
  type UnsealedManifest,
} from "../src/index.js";

const hash = (text: string): string => sha256Hex(text);

function artifact(pathInBundle: string, more: Partial<ArtifactMeta> = {}): ArtifactMeta {
  const [source = ""] = pathInBundle.split("/");
  const base = { pathInBundle, kind: "memory_file", source, type: "file" as const, sizeBytes: 0, sha256: hash("") };
  return { ...base, mode: 0o644, mtimeMs: 1.5, ...more };
}

const link = (path: string, linkTarget: string, more: Partial<ArtifactMeta> = {}): ArtifactMeta =>
  artifact(path, { type: "symlink", linkTarget, ...more });

function unsealed(artifacts: readonly ArtifactMeta[], more: Partial<UnsealedManifest> = {}): UnsealedManifest {
  return {
    manifestVersion: 1,
    bundleFormat: "keepsake-bundle-v1",
    snapshotId: "0190a3d0-0000-7000-8000-000000000000",
    agentId: "ana",
    tenant: "default",
    createdAtMs: 1,
    createdBy: "test",
    schemaVersions: { "Odd_Name.db": 3, camelCase: 1 },
    git: NO_GIT_HEAD,
    artifacts: [...artifacts],
    sources: [],
    omitted: [],
    toolVersions: { node_js: "20", someTool: "1" },
    bundleSha256: contentDigest(artifacts),
    ...more,
  };
}

const bytesOf = (wire: JsonObject): Uint8Array => encodeManifest(wire);
const refused =
  (artifacts: readonly ArtifactMeta[]): (() => unknown) =>
  () =>
    parseManifest(bytesOf(sealManifest(unsealed(artifacts)).wire));
const code = (name: string): unknown => expect.objectContaining({ code: name });

describe("a manifest", () => {
  it("comes back as it was sealed, and every change of it breaks the seal", () => {
    const name = fc.stringMatching(/^[a-z]{1,6}$/);
    const facts = fc.dictionary(
      fc.string({ maxLength: 5 }).filter((key) => key !== "__proto__"),
      fc.integer(),
    );
    const one = fc.tuple(name, fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true }), facts);
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ([path]) => path, maxLength: 5 }), fc.string(), (list, label) => {
        const artifacts = list.map(([path, sizeBytes, mtime, more]) =>
          // JSON has no negative zero.
          artifact(`memory_files/${path}`, { sizeBytes, mtimeMs: mtime + 0, facts: more }),
        );
        const { manifest, wire } = sealManifest(unsealed(artifacts, { label }));
        const read = parseManifest(bytesOf(wire));
        expect(read.manifest).toEqual(manifest);
        expect(isSealIntact(read.wire)).toBe(true);
        for (const key of Object.keys(wire)) {
          const { [key]: _gone, ...rest } = read.wire;
          expect(isSealIntact(rest), `without ${key}`).toBe(false);
          if (key !== "seal") expect(isSealIntact({ ...read.wire, [key]: "other" }), `other ${key}`).toBe(false);
        }
        expect(isSealIntact({ ...read.wire, unknown_field: 1 })).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it("has a line for each artifact, so that it can be searched and compared", () => {
    const artifacts = Array.from({ length: 2500 }, (_none, index) => artifact(`m/${String(index)}`));
    const { wire } = sealManifest(unsealed(artifacts, { label: "two\nlines" }));
    const text = Buffer.from(bytesOf(wire)).toString();
    expect(JSON.parse(text)).toEqual(wire);
    const lines = text.split("\n").filter((line) => line.includes('"path_in_bundle"'));
    expect(lines.map((line) => (/"m\/\d+"/.exec(line) ?? [])[0])).toEqual(
      artifacts.map(({ pathInBundle }) => JSON.stringify(pathInBundle)),
    );
  });

  it("of an older program lacks what is new, of a newer one has more", () => {
    const { wire } = sealManifest(unsealed([artifact("memory_files/a")]));
    const { sources: _s, omitted: _o, ...old } = wire;
    expect(parseManifest(bytesOf(old)).manifest).toMatchObject({ sources: [], omitted: [] });
    expect(parseManifest(bytesOf({ ...wire, new_field: { x: 1 } })).wire["new_field"]).toEqual({ x: 1 });
    expect(() => parseManifest(bytesOf({ ...wire, manifest_version: 2 }))).toThrow(
      expect.objectContaining({ code: "E_FORMAT_TOO_NEW", context: { found: 2, supported: 1 } }),
    );
    expect(() => parseManifest(bytesOf({ ...wire, bundle_format: "other" }))).toThrow(code("E_UNSUPPORTED"));
  });

  it.each([
    "",
    "null",
    "[]",
    "{",
    "{}",
    '{"manifest_version":"1"}',
    '{"manifest_version":1}',
    '\ufeff{"manifest_version":1}',
  ])("is not %j", (text) => {
    expect(() => parseManifest(Buffer.from(text))).toThrow(code("E_MANIFEST"));
  });

  it("that is no UTF-8, or nested a million deep, is refused by its code", () => {
    expect(() => parseManifest(Buffer.from([0x7b, 0xff, 0x7d]))).toThrow(code("E_MANIFEST"));
    const deep = `{"manifest_version":1,"x":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`;
    expect(() => parseManifest(Buffer.from(deep))).toThrow(code("E_MANIFEST"));
    expect(() => parseRecord(Buffer.from(deep))).toThrow(code("E_RECORD"));
  });

  it("with a number that has no canonical form has no intact seal", () => {
    const { wire } = sealManifest(unsealed([]));
    const text = Buffer.from(bytesOf(wire)).toString().replace(/\{/, '{"x":1e999,');
    expect(isSealIntact(parseManifest(Buffer.from(text)).wire)).toBe(false);
    expect(isSealIntact({ ...wire, seal: { algorithm: "md5", digest: "" } })).toBe(false);
  });
});

describe("the paths of a manifest", () => {
  const directory = { type: "directory" as const };
  const percent = { nameEncoding: "percent" as const };
  it.each<[string, ArtifactMeta[]]>([
    ["one twice", [artifact("m/a"), artifact("m/a")]],
    ["one in two cases", [artifact("m/a"), artifact("m/A")]],
    ["folders in two cases", [artifact("m/dir/a"), artifact("m/Dir/b")]],
    ["one in two Unicode forms", [artifact("m/\u00e9"), artifact("m/e\u0301")]],
    ["one upwards", [artifact("m/../a")]],
    ["one below a file", [artifact("m/a"), artifact("m/a/b")]],
    ["one below a link", [link("m/a", "b"), artifact("m/a/b")]],
    ["two spellings of one name", [artifact("m/a"), artifact("m/%61", percent)]],
    ["one spelling of two names", [artifact("m/%61"), artifact("m/%61", percent)]],
    ["an escaped one below a link", [link("m/a", "b"), artifact("m/%61/b", percent)]],
    ["an escaped one upwards", [artifact("m/%2E%2E/b", percent)]],
    ["a link upwards", [link("m/a", "../b")]],
    ["a link to the root", [link("m/a", "/b")]],
    ["an escaped link upwards", [link("m/a", "%2E./b", percent)]],
    ["a link through a link and up", [artifact("m/x", directory), link("m/x/l", ".."), link("m/a", "x/l/../b")]],
    ["a link with a backslash", [link("m/a", "..\\b")]],
  ])("are refused: %s", (_what, artifacts) => {
    expect(refused(artifacts)).toThrow(code("E_UNSAFE_PATH"));
  });

  it("are accepted: folders before, after and around, links inside, escaped neighbours", () => {
    const fine = [
      ...[artifact("m/d", directory), artifact("m/d/a"), artifact("m/Notes"), artifact("m/%6E%6F%74%65%73", percent)],
      ...[link("m/d/l", "../Notes"), link("m/to", "d/../Notes"), artifact("n/d/a"), link("m/odd", "%FF", percent)],
    ];
    expect(refused(fine)).not.toThrow();
  });
});

describe("a record", () => {
  const record: SnapshotRecord = {
    recordVersion: 1,
    id: "0190a3d0-0000-7000-8000-000000000000",
    agentId: "ana",
    tenant: "default",
    createdAtMs: 1,
    createdBy: "test",
    bundlePath: "x.tar.zst",
    bundleSizeBytes: 2,
    bundleSha256: hash("b"),
    fileSha256: hash("f"),
    manifestSeal: hash("s"),
    schemaVersions: { Some_Db: 1 },
    encrypted: false,
    redactionsApplied: false,
    codecs: [".zst"],
    artifactCount: 0,
    complete: true,
  };

  it("comes back, in snake_case in between", () => {
    const bytes = encodeRecord(record);
    expect(Buffer.from(bytes).toString()).toContain('"bundle_size_bytes": 2');
    expect(parseRecord(bytes)).toEqual(record);
  });

  it("is refused when it is none, or of a newer program", () => {
    expect(() => parseRecord(Buffer.from("x"))).toThrow(code("E_RECORD"));
    expect(() => parseRecord(Buffer.from("[]"))).toThrow(code("E_RECORD"));
    expect(() => parseRecord(encodeRecord({ ...record, fileSha256: "x" }))).toThrow(code("E_RECORD"));
    expect(() => parseRecord(encodeRecord({ ...record, recordVersion: 2 }))).toThrow(code("E_FORMAT_TOO_NEW"));
  });
});

describe("the wire's case", () => {
  it("turns back, and leaves others' keys alone", () => {
    const key = fc
      .stringMatching(/^[a-z]{1,4}([A-Z][a-z]{1,3}){0,3}$/)
      .filter((name) => !["facts", "data", "details", "context", "reasons"].includes(name));
    const value = fc.letrec((tie) => ({
      any: fc.oneof(fc.integer(), fc.string(), fc.array(tie("any"), { maxLength: 3 }), tie("object")),
      object: fc.dictionary(key, tie("any"), { maxKeys: 3 }),
    })).object;
    fc.assert(
      fc.property(value, fc.dictionary(fc.string(), fc.integer()), (object, facts) => {
        const all = { ...(object as object), facts };
        const wire = toWire(all);
        expect(JSON.stringify(wire["facts"])).toBe(JSON.stringify(facts));
        expect(Object.keys(wire).every((name) => !/[A-Z]/.test(name))).toBe(true);
        expect(JSON.stringify(fromWire(wire))).toBe(JSON.stringify(all));
      }),
    );
  });

  it("does not let a key from outside become a prototype", () => {
    const object = fromWire(JSON.parse('{"__proto__":{"polluted":1}}') as JsonObject);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect((object as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
