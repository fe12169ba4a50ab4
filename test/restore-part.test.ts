import { createCipheriv } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateIdentity, identityFileText } from "@keepsake/age";
import {
  type BundleStore,
  type ByteRange,
  type Codec,
  definePlugin,
  type FrameCodec,
  isKeepsakeError,
  SILENT_LOGGER,
  sha256Hex,
  storeProvider,
} from "@keepsake/core";
import { localFs } from "@keepsake/local-fs";
import { memoryStore } from "@keepsake/memory";
import { openKeepsake } from "@keepsake/standard";
import { chunked, collect, tempDir, treeDigest, writeTree } from "@keepsake/testkit";
import { zstd } from "@keepsake/zstd";
import Database from "better-sqlite3";
import { extract, type Header, pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { git } from "./support/agent-memory.js";
import { havePrograms } from "./support/programs.js";

const agent = "ana";
const LONG = `${"long/".repeat(30)}name.md`;
const NOTES = Object.fromEntries(
  Array.from({ length: 300 }, (_none, at) => [`notes/${String(at)}.md`, `note ${String(at)}\n`.repeat(100)]),
);

/** Bytes that do not pack. */
function noise(sizeBytes: number, seed: number): Buffer {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

/** What was read of the bundles in a store. */
interface Reading {
  readonly range: ByteRange | undefined;
  bytes: number;
}

/** A store that takes note of what is read of its bundles. */
function watched(
  store: BundleStore,
  readings: Reading[],
  ranges: boolean,
  beforeGet: (key: string) => Promise<void>,
): BundleStore {
  return {
    id: store.id,
    capabilities: { ...store.capabilities, ranges },
    describe: () => store.describe(),
    put: (key, body, options) => store.put(key, body, options),
    head: (key, options) => store.head(key, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key, options) => store.delete(key, options),
    async get(key, options) {
      const isBundle = /\.tar\.zst(\.age)?$/.test(key);
      await beforeGet(key);
      const { object, body } = await store.get(key, options);
      if (!isBundle) return { object, body };
      const reading: Reading = { range: options?.range, bytes: 0 };
      readings.push(reading);
      return {
        object,
        body: (async function* () {
          for await (const chunk of body) {
            reading.bytes += chunk.length;
            yield chunk;
          }
        })(),
      };
    },
  };
}

interface BoxOptions {
  readonly encrypted?: boolean;
  readonly ranges?: boolean;
  readonly inMemory?: boolean;
  readonly repository?: boolean;
}

/** An agent with a memory of some megabytes, a snapshot of it, and a live memory that has changed since. */
async function box({ encrypted = false, ranges = true, inMemory = false, repository = false }: BoxOptions = {}) {
  const dir = await tempDir();
  const memory = dir.join("memory");
  await mkdir(memory);
  const readings: Reading[] = [];
  const logged: string[] = [];
  const hooks = { beforeGet: (_key: string) => Promise.resolve() };
  const root = dir.join("store");
  const store = inMemory ? memoryStore("watched") : localFs({ root, id: "watched" });
  const identity = await generateIdentity();
  const key = dir.join("key.txt");
  await writeFile(key, identityFileText(identity, new Date(0)), { mode: 0o600 });
  const keepsake = await openKeepsake({
    config: {
      state_root: dir.join("state"),
      stores: { primary: { use: "watched" } },
      agents: { "*": { memory, sources: [{ use: "git" }, { use: "sqlite" }, { use: "memdir" }] } },
      redaction: { default: false },
      restore: { pre_snapshot: false },
    },
    logger: { ...SILENT_LOGGER, info: (message) => logged.push(message) },
    plugins: [
      definePlugin({
        name: "watched",
        api: 1,
        providers: [
          storeProvider("watched", { create: () => watched(store, readings, ranges, (key) => hooks.beforeGet(key)) }),
        ],
      }),
    ],
    cwd: dir.path,
    env: {},
  });
  const then = {
    ...NOTES,
    "a-large.bin": noise(9_000_000, 1),
    "notes/größe.md": "wide\n",
    [LONG]: "far down\n",
    "z-large.bin": noise(5_000_000, 2),
    "z.md": "last\n",
  };
  await writeTree(memory, then);
  const database = new Database(join(memory, "facts.db"));
  database.exec("CREATE TABLE fact (text TEXT); INSERT INTO fact VALUES ('then')");
  database.exec("CREATE TABLE picture AS SELECT randomblob(2000000)");
  database.close();
  if (repository) {
    await git(memory, "init", "-q");
    await git(memory, "add", "a-large.bin");
    await git(memory, "commit", "-q", "-m", "then");
  }
  const recipients = encrypted ? [identity.recipient] : undefined;
  const { record } = await keepsake.snapshot({ agent, recipients });
  for (const path of Object.keys(then)) await writeFile(join(memory, path), "now\n");
  const identityFiles = encrypted ? [key] : [];
  const bundle = join(root, record.bundlePath);
  return {
    dir,
    memory,
    then,
    record,
    bundle,
    store,
    readings,
    logged,
    hooks,
    identityFiles,
    restore: (only: readonly string[] | undefined, more: Parameters<typeof keepsake.restore>[1] = {}) =>
      keepsake.restore({ agent, ref: record.id, identityFiles, ...(only && { only }) }, more),
    dryRun: (only: readonly string[]) => keepsake.restore({ agent, ref: record.id, identityFiles, only, dryRun: true }),
    live: async () => treeDigest(memory),
    /** as a sum, after `work` */
    async read(work: () => Promise<unknown>) {
      readings.length = 0;
      await work();
      return readings.reduce((sum, { bytes }) => sum + bytes, 0);
    },
    /** Puts another bundle in its place, with its digest beside it and in its record. */
    async rewrite(bytes: Uint8Array, record: Readonly<Record<string, unknown>> = {}) {
      const recordFile = bundle.replace(/\.tar\.zst(\.age)?$/, ".json");
      const before = JSON.parse(await readFile(recordFile, "utf8")) as object;
      const digest = sha256Hex(bytes);
      const facts = { bundle_size_bytes: bytes.length, file_sha256: digest, ...record };
      await writeFile(bundle, bytes);
      await writeFile(`${bundle}.sha256`, `${digest}\n`);
      await writeFile(recordFile, JSON.stringify({ ...before, ...facts }));
    },
    async [Symbol.asyncDispose]() {
      await keepsake[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

type Box = Awaited<ReturnType<typeof box>>;

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "ok",
    (error: unknown) => (isKeepsakeError(error) ? error.code : String(error)),
  );

const KINDS: readonly (BoxOptions & { readonly kind: string })[] = [
  { kind: "a bundle" },
  { kind: "an encrypted bundle", encrypted: true },
  { kind: "a bundle in another kind of store", inMemory: true },
];

describe.each(KINDS)("a restore of a part of $kind", (kind) => {
  it("reads little beside what it brings back, by ranges alone", async () => {
    await using one = await box(kind);
    const { memory, then, record, readings } = one;
    const small = ["notes/7.md", "z.md", LONG, "notes/größe.md"];
    for (const path of small) {
      const before = await one.live();
      const bytes = await one.read(() => one.restore([path]));
      expect(await readFile(join(memory, path), "utf8")).toBe(then[path]);
      expect(bytes, path).toBeLessThan(record.bundleSizeBytes / 20);
      expect(readings.every(({ range }) => range !== undefined)).toBe(true);
      await writeFile(join(memory, path), "now\n");
      expect(Object.keys(await one.live())).toEqual(Object.keys(before));
    }
    const large = await one.read(() => one.restore(["z-large.bin"]));
    expect(sha256Hex(await readFile(join(memory, "z-large.bin")))).toBe(sha256Hex(then["z-large.bin"]));
    expect(large).toBeGreaterThan(5_000_000);
    expect(large).toBeLessThan(5_000_000 + record.bundleSizeBytes / 20);
  });

  it("brings back a folder, a database, several parts far from each other, and all there is", async () => {
    await using one = await box(kind);
    const { memory, then, record } = one;
    const database = () => {
      const open = new Database(join(memory, "facts.db"), { readonly: true });
      const rows: unknown = open.prepare("SELECT text FROM fact").pluck().all();
      open.close();
      return rows;
    };
    const change = new Database(join(memory, "facts.db"));
    change.exec("UPDATE fact SET text = 'now'");
    change.close();
    const bytes = await one.read(() => one.restore(["facts.db", "notes", "z.md"]));
    expect(bytes).toBeLessThan(2_000_000 + record.bundleSizeBytes / 20);
    expect(database()).toEqual(["then"]);
    for (const path of [...Object.keys(NOTES), "notes/größe.md", "z.md"]) {
      expect(await readFile(join(memory, path), "utf8")).toBe(then[path as keyof typeof then]);
    }
    expect(await readFile(join(memory, LONG), "utf8")).toBe("now\n");
    await one.restore(["."]);
    for (const [path, content] of Object.entries(then)) {
      expect(sha256Hex(await readFile(join(memory, path)))).toBe(sha256Hex(content));
    }
  });

  it("says what differs, reading no more for it", async () => {
    await using one = await box(kind);
    const before = await one.live();
    let report: Awaited<ReturnType<Box["dryRun"]>> | undefined;
    const bytes = await one.read(async () => (report = await one.dryRun(["notes/7.md"])));
    expect(report?.difference).toMatchObject([
      { id: "memory_files", items: [{ path: "notes/7.md", details: { linesAdded: 100 } }] },
    ]);
    expect(report?.notices).toEqual([]);
    expect(bytes).toBeLessThan(one.record.bundleSizeBytes / 10);
    expect(await one.live()).toEqual(before);
  });
});

/** The sizes of a bundle's frames. */
async function framesOf(bytes: Uint8Array) {
  const { frames } = zstd();
  if (frames === undefined) throw new Error("zstd has frames");
  const sizes = await frames.readIndex((count) => Promise.resolve(bytes.subarray(Math.max(0, bytes.length - count))));
  if (sizes === undefined) throw new Error("the bundle has an index");
  return { frames, sizes, index: frames.index(sizes) };
}

describe.runIf(havePrograms("git"))("a repository", () => {
  it("is read when it is selected, and not for a note beside it", async () => {
    await using one = await box({ repository: true });
    const note = await one.read(() => one.restore(["notes/7.md"]));
    expect(note).toBeLessThan(one.record.bundleSizeBytes / 20);
    await rm(join(one.memory, ".git"), { recursive: true });
    const repository = await one.read(() => one.restore([".git"]));
    expect(repository).toBeGreaterThan(9_000_000);
    expect(repository).toBeLessThan(9_000_000 + one.record.bundleSizeBytes / 20);
    await git(one.memory, "fsck", "--strict");
    expect(await readFile(join(one.memory, "notes/8.md"), "utf8")).toBe("now\n");
  });
});

describe("damage", () => {
  it("in any frame that is not read stops no restore of a part; in one that is, nothing changes", async () => {
    await using one = await box();
    const whole = await readFile(one.bundle);
    const { sizes } = await framesOf(whole);
    expect(sizes.length).toBeGreaterThan(8);
    const codes: string[] = [];
    let start = 0;
    for (const { encodedBytes } of sizes) {
      const damaged = Buffer.from(whole);
      const at = start + (encodedBytes >> 1);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      start += encodedBytes;
      await writeFile(one.bundle, damaged);
      const before = await one.live();
      const code = await codeOf(one.restore(["notes/7.md"]));
      codes.push(code);
      if (code !== "ok") {
        expect(await one.live()).toEqual(before);
        expect(code, "what a whole restore says").toBe(await codeOf(one.restore(undefined)));
      }
      await writeFile(join(one.memory, "notes/7.md"), "now\n");
    }
    // The manifest's frame, and the one that the note is in.
    expect(codes.filter((code) => code !== "ok")).toEqual(["E_INTEGRITY", "E_INTEGRITY"]);
    expect(codes[0]).toBe("E_INTEGRITY");
  }, 120_000);

  it("of an encrypted bundle is found at its beginning, at its end, and not where nothing is read", async () => {
    await using one = await box({ encrypted: true });
    const whole = await readFile(one.bundle);
    for (const [at, expected] of [
      [10_000, "E_INTEGRITY"],
      [whole.length - 5, "E_INTEGRITY"],
      [whole.length >> 2, "ok"],
    ] as const) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(one.bundle, damaged);
      expect(await codeOf(one.restore(["notes/7.md"])), String(at)).toBe(expected);
    }
    await writeFile(one.bundle, whole.subarray(0, -70_000));
    expect(await codeOf(one.restore(["notes/7.md"]))).not.toBe("ok");
  });

  it("of a bundle that is another one than its record says, is found although all in it fits together", async () => {
    await using one = await box();
    await using other = await box();
    await writeFile(one.bundle, await readFile(other.bundle));
    const before = await one.live();
    expect(await codeOf(one.restore(["notes/7.md"]))).toBe("E_INTEGRITY");
    expect(await one.live()).toEqual(before);
  });

  it("of a bundle that goes on after its end is found by its length alone", async () => {
    await using one = await box();
    const whole = await readFile(one.bundle);
    await writeFile(one.bundle, Buffer.concat([whole, Buffer.from("more")]));
    const code = await codeOf(one.restore(["notes/7.md"]));
    expect(code).toBe(await codeOf(one.restore(undefined)));
    expect(code).not.toBe("ok");
  });

  it("is not mixed: a bundle that becomes another one while a part of it is looked for is refused", async () => {
    await using one = await box({ ranges: false });
    await using other = await box({ ranges: false });
    const [bytes, digest] = [await readFile(other.bundle), await readFile(`${other.bundle}.sha256`)];
    // The digest is asked for when the manifest was read.
    one.hooks.beforeGet = async (key) => {
      if (!key.endsWith(".sha256")) return;
      await writeFile(one.bundle, bytes);
      await writeFile(`${one.bundle}.sha256`, digest);
    };
    const before = await one.live();
    expect(await codeOf(one.restore(["notes/7.md"]))).toBe("E_INTEGRITY");
    expect(await one.live()).toEqual(before);
  });
});

/** The archive of a bundle, entry by entry. */
async function entriesOf(archive: Uint8Array): Promise<{ header: Header; content: Uint8Array }[]> {
  const found: { header: Header; content: Uint8Array }[] = [];
  const reading = extract();
  reading.end(archive);
  for await (const entry of reading as AsyncIterable<AsyncIterable<Uint8Array> & { header: Header }>) {
    found.push({ header: entry.header, content: await collect(entry) });
  }
  return found;
}

async function packed(entries: readonly { header: Header; content: Uint8Array }[]): Promise<Uint8Array> {
  const archive = pack();
  for (const { header, content } of entries) archive.entry(header, Buffer.from(content));
  archive.finalize();
  return collect(archive as AsyncIterable<Uint8Array>);
}

/** In frames with their index, as this program writes them. */
async function framed(codec: Codec & { readonly frames?: FrameCodec }, archive: Uint8Array): Promise<Uint8Array> {
  const { frames } = codec;
  if (frames === undefined) throw new Error("the codec has frames");
  const made: Uint8Array[] = [];
  const sizes = [];
  for (let at = 0; at < archive.length; at += frames.contentBytes) {
    const content = archive.subarray(at, at + frames.contentBytes);
    const frame = await frames.encodeFrame(content);
    made.push(frame);
    sizes.push({ contentBytes: content.length, encodedBytes: frame.length });
  }
  return Buffer.concat([...made, frames.index(sizes)]);
}

describe("a bundle that cannot be read by its parts is read whole", () => {
  async function comesBack(one: Box): Promise<void> {
    const bytes = await one.read(() => one.restore(["notes/7.md", "facts.db"]));
    expect(bytes).toBeGreaterThan(one.record.bundleSizeBytes * 0.9);
    expect(await readFile(join(one.memory, "notes/7.md"), "utf8")).toBe(
      one.then["notes/7.md" as keyof typeof one.then],
    );
    expect(await readFile(join(one.memory, "z.md"), "utf8")).toBe("now\n");
  }

  it("where the store has no ranges", async () => {
    await using one = await box({ ranges: false });
    await comesBack(one);
    expect(one.readings.every(({ range }) => range === undefined)).toBe(true);
  });

  it("without an index, with one that says something else, and with something between index and frames", async () => {
    await using one = await box();
    const whole = await readFile(one.bundle);
    const { sizes, index, frames } = await framesOf(whole);
    const body = whole.subarray(0, whole.length - index.length);
    await one.rewrite(body);
    await comesBack(one);
    const last = sizes.length - 1;
    const longer = sizes.map((size, at) => (at === last ? { ...size, contentBytes: size.contentBytes + 512 } : size));
    await one.rewrite(Buffer.concat([body, frames.index(longer)]));
    await comesBack(one);
    const encoded = sizes.map(({ encodedBytes }) => encodedBytes).toReversed();
    const turned = sizes.map((size, at) => ({ ...size, encodedBytes: encoded[at] ?? 0 }));
    await one.rewrite(Buffer.concat([body, frames.index(turned)]));
    await comesBack(one);
    const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
    await one.rewrite(Buffer.concat([body, skipped, index]));
    await comesBack(one);
  });

  it("that another program has laid out otherwise", async () => {
    await using one = await box();
    const codec = zstd();
    const archive = await collect(codec.decode(chunked(await readFile(one.bundle)), { maxOutputBytes: 2 ** 30 }));
    const [manifest, ...entries] = await entriesOf(archive);
    if (manifest === undefined) throw new Error("the archive has entries");
    await one.rewrite(await framed(codec, await packed([manifest, ...entries.toReversed()])));
    await comesBack(one);
    await one.rewrite(await framed(zstd({ frameBytes: 256 * 1024 }), await packed([manifest, ...entries])));
    const bytes = await one.read(() => one.restore(["notes/7.md"]));
    expect(bytes, "laid out the same, in other frames").toBeLessThan(one.record.bundleSizeBytes / 2);
  });

  it("whose record is of another manifest", async () => {
    await using one = await box();
    const told = "a part of a bundle could not be read by itself";
    await one.restore(["z.md"]);
    expect(one.logged).not.toContain(told);
    await writeTree(one.memory, { "z.md": "now\n" });
    await one.rewrite(await readFile(one.bundle), { manifest_seal: "0".repeat(64) });
    await comesBack(one);
    expect(one.logged).toContain(told);
  });

  it("from a file, which no record vouches for: what lies beside it does", async () => {
    await using one = await box();
    const file = one.dir.join(one.bundle.split("/").at(-1) ?? "");
    await writeFile(file, await readFile(one.bundle));
    const keepsake = await openKeepsake({
      config: { state_root: one.dir.join("state"), agents: { "*": { memory: one.memory } }, log: { level: "silent" } },
      cwd: one.dir.path,
      env: {},
    });
    await using _closed = keepsake;
    const request = { agent, bundleFile: file, only: ["notes/7.md"] };
    expect(await codeOf(keepsake.restore(request))).toBe("E_INTEGRITY");
    await writeFile(`${file}.sha256`, await readFile(`${one.bundle}.sha256`));
    expect(await codeOf(keepsake.restore(request))).toBe("ok");
  });
});

describe("what is unpacked into staging", () => {
  it.each([{ ranges: true }, { ranges: false }])(
    "is what is wanted, and nothing else (ranges: $ranges)",
    async (kind) => {
      await using one = await box(kind);
      const staging = one.dir.join("state/staging/default", agent);
      let sizes: number[] = [];
      const onProgress = ({ phase }: { readonly phase: string }): void => {
        if (phase !== "commit") return;
        const found = readdirSync(staging, { recursive: true, withFileTypes: true });
        sizes = found
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
      };
      await one.restore(["notes/7.md", "z.md"], { onProgress });
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2_000);
      await rm(staging, { recursive: true, force: true });
      expect(await readdir(one.dir.join("state/journals/default")).catch(() => [])).toEqual([]);
    },
  );
});
