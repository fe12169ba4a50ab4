import { posix, win32 } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  foldedPath,
  isArtifactPath,
  isLinkInside,
  isPlainLinkTarget,
  parseArtifactPath,
  percentDecode,
  percentDecodePath,
  percentEncodePath,
  plainLinkTarget,
  toBundlePath,
} from "../src/index.js";

/** The bytes of a relative path as a file system may hold them. */
const rawPath = fc
  .array(
    fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .filter((name) => !name.includes(0) && !name.includes(0x2f))
      .map((name) => Buffer.from(name))
      .filter((name) => ![".", ".."].includes(name.toString("latin1"))),
    { minLength: 1, maxLength: 4 },
  )
  .map((names) => Buffer.concat(names.flatMap((name, at) => (at === 0 ? [name] : [Buffer.from("/"), name]))));

describe("an artifact path", () => {
  it.each(["a", "a/b.md", "caf\u00e9/\u{1f600}", ".hidden", "ab:b/c", "x/C:y", "...", "a b", "%41", "a".repeat(765)])(
    "may be %j",
    (path) => {
      expect(parseArtifactPath(path)).toBe(path);
    },
  );

  it.each([
    ...[
      "",
      "/",
      "/a",
      "a/",
      "a//b",
      ".",
      "..",
      "a/..",
      "../a",
      "a/./b",
      "a\\b",
      "..\\a",
      "C:/a",
      "c:a",
      "a\0b",
      "a\nb",
    ],
    ...["a\u007f", "\ud800", "a".repeat(766), "a/".repeat(9000) + "a"],
  ])("may not be %j", (path) => {
    expect(isArtifactPath(path)).toBe(false);
    expect(() => parseArtifactPath(path)).toThrow(expect.objectContaining({ code: "E_UNSAFE_PATH" }));
  });

  it("never leads elsewhere, whatever is thrown at it", () => {
    const piece = fc.constantFrom("..", ".", "/", "\\", "a", "C:", "\0", "%2e", "\u202e");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = pieces.join("");
        fc.pre(isArtifactPath(path));
        expect(path.split("/")).not.toContain("..");
        expect(posix.resolve("/root/in", path).startsWith("/root/in/")).toBe(true);
        expect(win32.resolve("D:\\root\\in", path).startsWith("D:\\root\\in\\")).toBe(true);
      }),
    );
  });

  it.each([
    ["A", "a"],
    ["stra\u00dfe", "STRASSE"],
    ["caf\u00e9", "cafe\u0301"],
    ["\ufb01le", "file"],
    ["\u212a", "k"],
    ["\u03bf\u03b4\u03bf\u03c2", "\u039f\u0394\u039f\u03a3"],
  ])("%j is for some file system %j", (one, other) => {
    expect(foldedPath(one)).toBe(foldedPath(other));
  });
});

describe("an escaped path", () => {
  it("gives every name back, plain or escaped, with letters or without", () => {
    fc.assert(
      fc.property(rawPath, fc.boolean(), (raw, letters) => {
        const escaped = percentEncodePath(raw, letters);
        expect(isArtifactPath(escaped)).toBe(true);
        expect(percentDecodePath(escaped)).toEqual(raw);
        const { path, nameEncoding } = toBundlePath(raw);
        expect(isArtifactPath(path)).toBe(true);
        expect(nameEncoding === "percent" ? percentDecodePath(path) : Buffer.from(path)).toEqual(raw);
      }),
    );
  });

  it("without letters is told apart from every other one by any file system", () => {
    fc.assert(
      fc.property(rawPath, rawPath, (one, other) => {
        fc.pre(!one.equals(other));
        expect(foldedPath(percentEncodePath(one, true))).not.toBe(foldedPath(percentEncodePath(other, true)));
      }),
    );
  });

  it("is never a plain one: what looks like an escape is escaped", () => {
    expect(toBundlePath(Buffer.from("100%"))).toEqual({ path: "100%" });
    expect(toBundlePath(Buffer.from("%41"))).toEqual({ path: "%2541", nameEncoding: "percent" });
    fc.assert(
      fc.property(rawPath, (raw) => {
        const { path, nameEncoding } = toBundlePath(raw);
        expect(nameEncoding === "percent" || !/%[0-9A-Fa-f]{2}/.test(path)).toBe(true);
      }),
    );
  });

  it.each(["%2F", "a%2Fb", "%00", "%2E", "%2E%2E/a", "a/%2e", "%", "%4", "%zz", "\u00e9", "a//b", "%41".repeat(256)])(
    "may not be %j",
    (path) => {
      expect(() => percentDecodePath(path)).toThrow(expect.objectContaining({ code: "E_UNSAFE_PATH" }));
    },
  );

  it("may as a link's target lead upwards", () => {
    expect(percentDecode("../%FF").equals(Buffer.from([0x2e, 0x2e, 0x2f, 0xff]))).toBe(true);
  });
});

describe("a link's target", () => {
  const links = new Set(["d", "a/l"]);
  it.each([
    ["l", "a", true],
    ["l", ".", true],
    ["a/l", "..", true],
    ["a/l", "../b/../c", true],
    ["l", "d/x", true],
    ["l", "", false],
    ["l", "/a", false],
    ["l", "..", false],
    ["a/l", "../..", false],
    ["a/l", "b/../../..", false],
    ["l", "d/..", false],
    ["l", "a/l/../x", false],
    ["l", "a\0", false],
  ])("of %j, %j: inside is %j", (link, target, inside) => {
    expect(isLinkInside(link, target, (path) => links.has(path))).toBe(inside);
  });

  it("travels plain only where it means the same everywhere", () => {
    expect(plainLinkTarget(Buffer.from("../a b"))).toBe("../a b");
    for (const raw of [Buffer.from([0xff]), Buffer.from("a\\b"), Buffer.from("C:x"), Buffer.from("a\nb")]) {
      expect(plainLinkTarget(raw)).toBeUndefined();
      expect(isPlainLinkTarget(raw.toString("utf8")) && raw[0] !== 0xff).toBe(false);
    }
  });
});
