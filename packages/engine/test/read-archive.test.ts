import { describe, expect, it } from "vitest";
import { isKeepsakeError } from "@keepsake/core";
import { checkSeal } from "../src/bundle/check-seal.js";
import { readArchive } from "../src/bundle/read-archive.js";
import { type DeclaredArtifact, handMadeBundle, handMadeManifest, rawArchive } from "./support/hand-made.js";

async function* inPieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Reads and judges an archive as a restore would; gives what reached the sink. */
async function read(bytes: Uint8Array, size?: number): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const file = async (meta: { pathInBundle: string }, content: AsyncIterable<Uint8Array>) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found.set(meta.pathInBundle, Buffer.concat(chunks).toString());
  };
  checkSeal(await readArchive(inPieces(bytes, size), { file }, { maxManifestBytes: 1 << 20 }));
  return found;
}

async function codeOf(bytes: Uint8Array): Promise<string> {
  try {
    await read(bytes);
    return "accepted";
  } catch (error) {
    return isKeepsakeError(error) ? error.code : `untyped: ${String(error)}`;
  }
}

const NOTE: DeclaredArtifact = { path: "memory_files/note.md", content: "hello\n" };
const LINK: DeclaredArtifact = { path: "memory_files/latest", type: "symlink", linkTarget: "note.md" };
const FOLDER: DeclaredArtifact = { path: "memory_files/empty", type: "directory" };

describe("an archive made by hand", () => {
  it("is read when it is what its manifest declares", async () => {
    const found = await read(await handMadeBundle([FOLDER, LINK, NOTE]));
    expect([...found]).toEqual([["memory_files/note.md", "hello\n"]]);
  });

  it("may name the folders on the way, as the tar program does", async () => {
    const entries = [
      { name: "memory_files/", type: "directory" as const },
      { name: NOTE.path, content: "hello\n" },
    ];
    expect([...(await read(await handMadeBundle([NOTE], entries))).keys()]).toEqual([NOTE.path]);
  });

  it("is read however its bytes are cut into chunks", async () => {
    const bytes = await handMadeBundle([FOLDER, LINK, NOTE]);
    for (const size of [1, 7, 511, 512, 513, bytes.length]) expect((await read(bytes, size)).size).toBe(1);
  });

  it("is padded as other programs pad it", async () => {
    const bytes = await handMadeBundle([NOTE]);
    expect(await codeOf(Buffer.concat([bytes, Buffer.alloc(10_240 - (bytes.length % 10_240))]))).toBe("accepted");
  });
});

describe("a hostile or broken archive is refused", () => {
  const unsafe: [string, string][] = [
    ["an absolute path", "/etc/passwd"],
    ["a path with ..", "memory_files/../../outside"],
    ["a path with a lone .", "memory_files/./note.md"],
    ["a drive", "C:/note.md"],
    ["a backslash", "memory_files/a\\b"],
    ["an empty segment", "memory_files//note.md"],
    ["an over-long segment", `memory_files/${"x".repeat(800)}`],
    ["a control character", "memory_files/a\u0007b"],
  ];
  for (const [what, path] of unsafe) {
    it(`${what}, declared`, async () => {
      expect(await codeOf(await handMadeBundle([{ ...NOTE, path }]))).toBe("E_UNSAFE_PATH");
    });
    it(`${what}, in the archive alone`, async () => {
      expect(await codeOf(await handMadeBundle([NOTE], [{ name: path, content: "hello\n" }]))).toBe("E_UNSAFE_PATH");
    });
  }

  it("a NUL in a declared path", async () => {
    const manifest = handMadeManifest([{ ...NOTE, path: "memory_files/a\0b" }]);
    expect(await codeOf(await rawArchive([{ name: "manifest.json", content: manifest }]))).toBe("E_UNSAFE_PATH");
  });

  for (const linkTarget of ["/etc/passwd", "../outside", "sub/../../../x", "", "a\\b"]) {
    it(`a link to ${JSON.stringify(linkTarget)}`, async () => {
      expect(await codeOf(await handMadeBundle([{ ...LINK, linkTarget }]))).toBe("E_UNSAFE_PATH");
    });
  }

  it("a link that is not the declared one", async () => {
    const entries = [{ name: LINK.path, type: "symlink" as const, linkname: "../../outside" }];
    expect(await codeOf(await handMadeBundle([LINK], entries))).toBe("E_INTEGRITY");
  });

  it("a file below a link", async () => {
    const artifacts = [LINK, { path: `${LINK.path}/x`, content: "y" }];
    expect(await codeOf(await handMadeBundle(artifacts))).toBe("E_UNSAFE_PATH");
  });

  for (const type of ["link", "character-device", "fifo"] as const) {
    it(`a ${type}`, async () => {
      const entries = [{ name: NOTE.path, type, linkname: "manifest.json" }];
      expect(await codeOf(await handMadeBundle([NOTE], entries))).toBe("E_UNSAFE_PATH");
    });
  }

  it("two entries with one name", async () => {
    const twice = [NOTE.path, NOTE.path].map((name) => ({ name, content: "hello\n" }));
    expect(await codeOf(await handMadeBundle([NOTE], twice))).toBe("E_MANIFEST");
  });

  it("one name declared twice", async () => {
    expect(await codeOf(await handMadeBundle([NOTE, NOTE]))).toBe("E_UNSAFE_PATH");
  });

  const clashes: [string, string, string][] = [
    ["letter case", "memory_files/note.md", "memory_files/NOTE.md"],
    ["Unicode composition", "memory_files/caf\u00e9", "memory_files/cafe\u0301"],
    ["full case folding", "memory_files/stra\u00dfe", "memory_files/STRASSE"],
    ["a folder's case", "memory_files/a/x", "memory_files/A/y"],
  ];
  for (const [what, first, second] of clashes) {
    it(`two names that are one after ${what}`, async () => {
      const artifacts = [first, second].map((path) => ({ path, content: path }));
      expect(await codeOf(await handMadeBundle(artifacts))).toBe("E_UNSAFE_PATH");
    });
  }

  it("an entry that is not declared", async () => {
    const entries = [NOTE, { path: "memory_files/more.md", content: "x" }].map(({ path: name, content = "" }) => ({
      name,
      content,
    }));
    expect(await codeOf(await handMadeBundle([NOTE], entries))).toBe("E_MANIFEST");
  });

  it("a declared entry that is missing", async () => {
    expect(await codeOf(await handMadeBundle([NOTE, FOLDER], [{ name: NOTE.path, content: "hello\n" }]))).toBe(
      "E_MANIFEST",
    );
  });

  it("another size, another digest", async () => {
    expect(await codeOf(await handMadeBundle([NOTE], [{ name: NOTE.path, content: "hello you\n" }]))).toBe(
      "E_INTEGRITY",
    );
    expect(await codeOf(await handMadeBundle([NOTE], [{ name: NOTE.path, content: "hellO\n" }]))).toBe("E_INTEGRITY");
  });

  it("an artifact outside its source's folder", async () => {
    const artifact = { ...NOTE, override: { source: "sqlite" } };
    expect(await codeOf(await handMadeBundle([artifact]))).toBe("E_MANIFEST");
  });

  it("a manifest that is not first, not alone, not there, not JSON, or a link", async () => {
    const manifest = { name: "manifest.json", content: handMadeManifest([NOTE]) };
    const note = { name: NOTE.path, content: "hello\n" };
    expect(await codeOf(await rawArchive([note, manifest]))).toBe("E_MANIFEST");
    expect(await codeOf(await rawArchive([manifest, manifest, note]))).toBe("E_MANIFEST");
    expect(await codeOf(await rawArchive([]))).toBe("E_MANIFEST");
    expect(await codeOf(await rawArchive([{ ...manifest, content: "{" }, note]))).toBe("E_MANIFEST");
    expect(await codeOf(await rawArchive([{ name: "manifest.json", type: "symlink", linkname: "x" }]))).toBe(
      "E_MANIFEST",
    );
  });

  it("a manifest over the limit", async () => {
    const artifacts = Array.from({ length: 8000 }, (_value, index) => ({
      path: `memory_files/${String(index)}`,
      content: "x",
    }));
    expect(await codeOf(await handMadeBundle(artifacts))).toBe("E_LIMIT");
  });

  it("a newer manifest, naming both versions", async () => {
    const content = handMadeManifest([NOTE], { manifest_version: 7 });
    const bytes = await rawArchive([
      { name: "manifest.json", content },
      { name: NOTE.path, content: "hello\n" },
    ]);
    const error = await read(bytes).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "E_FORMAT_TOO_NEW", context: { found: 7, supported: 1 } });
  });

  it("any changed field of the manifest, an unknown one too", async () => {
    const sealed = JSON.parse(handMadeManifest([NOTE], { added_later: "by a newer program" })) as Record<
      string,
      unknown
    >;
    const note = { name: NOTE.path, content: "hello\n" };
    const bundleOf = (manifest: unknown) =>
      rawArchive([{ name: "manifest.json", content: JSON.stringify(manifest) }, note]);
    expect(await codeOf(await bundleOf(sealed))).toBe("accepted");
    for (const change of [
      { label: "x" },
      { created_by: "me" },
      { added_later: "changed" },
      { tool_versions: { node: "1" } },
    ]) {
      expect(await codeOf(await bundleOf({ ...sealed, ...change }))).toBe("E_INTEGRITY");
    }
    const artifacts = [{ ...(sealed["artifacts"] as object[])[0], mode: 0o4755 }];
    expect(await codeOf(await bundleOf({ ...sealed, artifacts }))).toBe("E_INTEGRITY");
  });

  it("data after the end, and an archive hidden behind it", async () => {
    const bytes = await handMadeBundle([NOTE]);
    expect(await codeOf(Buffer.concat([bytes, Buffer.from("x".repeat(512))]))).not.toBe("accepted");
    expect(await codeOf(Buffer.concat([bytes, Buffer.from([1])]))).not.toBe("accepted");
    const second = await rawArchive([{ name: NOTE.path, content: "hello\n" }]);
    const manifestAlone = await handMadeBundle([NOTE], []);
    expect(await codeOf(Buffer.concat([manifestAlone, second]))).toBe("E_TRAILING_DATA");
  });

  it("an archive cut at every length: a boundary between entries fools the tar reader, not us", async () => {
    const bytes = await handMadeBundle([FOLDER, LINK, NOTE]);
    const accepted: number[] = [];
    for (let length = 0; length < bytes.length; length += 1) {
      const code = await codeOf(bytes.subarray(0, length));
      if (code === "accepted") accepted.push(length);
      expect(code).not.toMatch(/^untyped/);
    }
    expect(accepted).toEqual([]);
  });

  it("an archive with any byte of its headers or contents changed", async () => {
    const bytes = await handMadeBundle([FOLDER, LINK, NOTE]);
    const original = await read(bytes);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0x20;
      const outcome = await read(flipped).catch((error: unknown) => error);
      // Padding inside a block carries nothing; whatever is accepted is exactly the original.
      if (outcome instanceof Map) expect(outcome).toEqual(original);
      else expect(isKeepsakeError(outcome)).toBe(true);
    }
  });
});
