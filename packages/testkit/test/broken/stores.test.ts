import { closeSync, openSync } from "node:fs";
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  abortable,
  type BundleStore,
  type ByteStream,
  KeepsakeError,
  type OpOptions,
  type StoredObject,
} from "@keepsake/core";
import { describe } from "vitest";
import { chunked, memoryStore, storeConformance, type StoreSubject } from "../../src/index.js";
import { type Broken, expectBroken } from "./expect-broken.js";

const right = (): StoreSubject => ({ store: memoryStore(), reopen: null, boundedMemory: false });

/** What the right store answers. */
async function replaced(
  store: BundleStore,
  key: string,
  bytes: Uint8Array,
  options?: OpOptions,
): Promise<StoredObject> {
  const object = await store.replace?.(key, bytes, options);
  if (object === undefined) throw new TypeError("no replace");
  return object;
}

/** A right store with some of its members replaced. */
function broken(change: (store: BundleStore) => Partial<BundleStore>, more: Partial<StoreSubject> = {}) {
  return (): StoreSubject => {
    const store = memoryStore();
    return { ...right(), store: { ...store, ...change(store) }, ...more };
  };
}

async function gather(body: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** All but the last chunk, of a body that has several. */
async function* butTheLast(body: ByteStream): ByteStream {
  let held: Uint8Array | undefined;
  let count = 0;
  for await (const chunk of body) {
    if (held !== undefined) yield held;
    held = chunk;
    count++;
  }
  if (count === 1 && held !== undefined) yield held;
}

/** What came until the body failed, as if that were all. */
async function* quietly(body: ByteStream): ByteStream {
  try {
    yield* body;
  } catch {
    // swallowed
  }
}

async function* inOneBuffer(body: ByteStream): ByteStream {
  const buffer = Buffer.alloc(65_536);
  for await (const chunk of body) {
    buffer.set(chunk);
    yield buffer.subarray(0, chunk.length);
  }
}

async function* filtered(list: AsyncIterable<StoredObject>, keep: (object: StoredObject, index: number) => boolean) {
  let index = 0;
  for await (const object of list) if (keep(object, index++)) yield object;
}

/** A number, which no collection of garbage closes. */
const openFile = (): number => openSync("/dev/null", "r");

/** Closes what it opened when it was read to its end, and only then. */
async function* closedAtTheEnd(body: ByteStream): ByteStream {
  const handle = openFile();
  yield* body;
  closeSync(handle);
}

async function* closedInTheEnd(body: ByteStream, handle: number): ByteStream {
  try {
    yield* body;
  } finally {
    closeSync(handle);
  }
}

const STORES: readonly Broken<StoreSubject>[] = [
  {
    wrong: "shows an object before it is whole",
    make: broken((store) => {
      const begun = new Map<string, StoredObject>();
      return {
        async put(key, body, options) {
          begun.set(key, { key, sizeBytes: 0, modifiedAtMs: Date.now() });
          return store.put(key, body, options).finally(() => begun.delete(key));
        },
        head: async (key, options) => (await store.head(key, options)) ?? begun.get(key),
      };
    }),
    fails: ["store.put.invisible"],
  },
  {
    wrong: "overwrites",
    make: broken((store) => ({
      async put(key, body, options) {
        options?.signal?.throwIfAborted();
        const bytes = await gather(abortable(body, options?.signal));
        return replaced(store, key, bytes);
      },
    })),
    fails: ["store.put.no-overwrite", "store.put.race"],
  },
  {
    wrong: "loses the last chunk",
    make: broken((store) => ({ put: (key, body, options) => store.put(key, butTheLast(body), options) })),
    fails: [
      "store.get.chunks-kept",
      "store.get.deleted-meanwhile",
      "store.get.range-borders",
      "store.get.readers",
      "store.put.bounded-memory",
      "store.put.chunks",
      "store.put.invisible",
      "store.put.parallel",
      "store.put.race",
      "store.put.round-trip",
      "store.put.stream",
      "store.sweep",
    ],
  },
  {
    wrong: "does not look at the signal of a put",
    make: broken((store) => ({ put: (key, body) => store.put(key, body) })),
    fails: ["store.put.abort-before", "store.put.abort-middle"],
    hangs: ["store.put.abort-silent"],
  },
  {
    wrong: "takes a body that failed for one that ended",
    make: broken((store) => ({ put: (key, body, options) => store.put(key, quietly(body), options) })),
    fails: ["store.put.body-error"],
  },
  {
    wrong: "keeps what it has of an object when its put fails",
    make: broken((store) => ({
      async put(key, body, options) {
        const seen: Uint8Array[] = [];
        const watched = async function* () {
          for await (const chunk of body) {
            seen.push(chunk);
            yield chunk;
          }
        };
        try {
          return await store.put(key, watched(), options);
        } catch (error) {
          if (seen.length > 0) await store.put(key, chunked(Buffer.concat(seen)));
          throw error;
        }
      },
    })),
    fails: ["store.put.abort-middle", "store.put.abort-silent", "store.put.body-error"],
  },
  {
    wrong: "makes another error of a body's",
    make: broken((store) => ({
      put: (key, body, options) =>
        store.put(key, body, options).catch((error: unknown) => {
          if (error instanceof Error && "syscall" in error)
            throw new KeepsakeError("E_IO", "Failed.", { cause: error });
          throw error;
        }),
    })),
    fails: ["store.put.body-error"],
  },
  {
    wrong: "makes E_IO of an abort",
    make: broken((store) => ({
      put: (key, body, options) =>
        store.put(key, body, options).catch((error: unknown) => {
          throw options?.signal?.aborted === true ? new KeepsakeError("E_IO", "Failed.", { cause: error }) : error;
        }),
    })),
    fails: ["store.put.abort-before", "store.put.abort-middle", "store.put.abort-silent"],
  },
  {
    wrong: "answers a wrong size",
    make: broken((store) => ({
      async put(key, body, options) {
        const object = await store.put(key, body, options);
        return { ...object, sizeBytes: object.sizeBytes + 1 };
      },
    })),
    fails: ["store.put.empty", "store.put.no-overwrite", "store.put.round-trip", "store.put.stream"],
  },
  {
    wrong: "gives times in seconds",
    make: broken((store) => ({
      async put(key, body, options) {
        const object = await store.put(key, body, options);
        return { ...object, modifiedAtMs: Math.floor(object.modifiedAtMs / 1000) };
      },
    })),
    fails: ["store.put.round-trip"],
  },
  {
    wrong: "gives ranges that are one byte too long",
    make: broken((store) => ({
      get: (key, options) => {
        const { range } = options ?? {};
        const wide = range && range.length > 0 ? { range: { ...range, length: range.length + 1 } } : {};
        return store.get(key, { ...options, ...wide });
      },
    })),
    fails: ["store.get.ranges", "store.get.range-borders"],
  },
  {
    wrong: "fails for a range past the end",
    make: broken((store) => ({
      async get(key, options) {
        const { sizeBytes = 0 } = (await store.head(key)) ?? {};
        if (options?.range !== undefined && options.range.start >= sizeBytes) throw new KeepsakeError("E_IO", "416");
        return store.get(key, options);
      },
    })),
    fails: ["store.get.ranges"],
  },
  {
    wrong: "has no ranges, says so, and gives the whole object",
    make: broken((store) => ({
      capabilities: { ...store.capabilities, ranges: false },
      get: (key, { signal } = {}) => store.get(key, { signal }),
    })),
    fails: ["store.get.ranges", "store.get.range-borders"],
  },
  {
    wrong: "hands over one buffer again and again",
    make: broken((store) => ({
      async get(key, options) {
        const { object, body } = await store.get(key, options);
        return { object, body: inOneBuffer(body) };
      },
    })),
    fails: ["store.get.chunks-kept"],
  },
  {
    wrong: "does not look at the signal of a get",
    make: broken((store) => ({
      get: (key, { range } = {}) => store.get(key, range === undefined ? {} : { range }),
    })),
    fails: ["store.get.abort-before", "store.get.abort-middle"],
  },
  {
    wrong: "ends a body early when its object goes",
    make: broken((store) => ({
      async get(key, options) {
        const { object, body } = await store.get(key, options);
        const whileThere = async function* () {
          for await (const chunk of body) {
            if ((await store.head(key)) === undefined) return;
            yield chunk;
          }
        };
        return { object, body: whileThere() };
      },
    })),
    fails: ["store.get.deleted-meanwhile"],
  },
  {
    wrong: "throws any error for an object that is not there",
    make: broken((store) => ({
      async get(key, options) {
        if ((await store.head(key)) === undefined && options?.signal?.aborted !== true) throw new Error("404");
        return store.get(key, options);
      },
    })),
    fails: [
      "store.delete.once",
      "store.delete.race",
      "store.get.missing",
      "store.put.abort-before",
      "store.put.abort-middle",
      "store.put.abort-silent",
      "store.put.body-error",
      "store.put.invisible",
    ],
  },
  {
    wrong: "lists 1,000 objects and no more",
    make: broken((store) => ({
      list: (prefix, options) => filtered(store.list(prefix, options), (_object, index) => index < 1_000),
    })),
    fails: ["store.list.many"],
  },
  {
    wrong: "lists the first object of each page twice",
    make: broken((store) => ({
      async *list(prefix, options) {
        let index = 0;
        for await (const object of store.list(prefix, options)) {
          if (++index % 1_000 === 0) yield object;
          yield object;
        }
      },
    })),
    fails: ["store.list.many"],
  },
  {
    wrong: "takes a prefix for a folder",
    make: broken((store) => ({
      list: (prefix, options) =>
        filtered(
          store.list(prefix, options),
          ({ key }) => prefix === "" || key.startsWith(prefix.replace(/\/?$/, "/")),
        ),
    })),
    fails: ["store.list.prefix"],
  },
  {
    wrong: "takes a prefix for a pattern of SQL",
    make: broken((store) => ({
      list(prefix, options) {
        const pattern = new RegExp(
          `^${prefix
            .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
            .replaceAll("_", ".")
            .replaceAll("%", ".*")}`,
          "i",
        );
        return filtered(store.list("", options), ({ key }) => pattern.test(key));
      },
    })),
    fails: ["store.list.prefix"],
  },
  {
    wrong: "lists in the order of JavaScript's strings",
    make: broken((store) => ({
      async *list(prefix, options) {
        const objects: StoredObject[] = [];
        for await (const object of store.list(prefix, options)) objects.push(object);
        for (const object of objects.sort((a, b) => (a.key < b.key ? -1 : 1))) {
          options?.signal?.throwIfAborted();
          yield object;
        }
      },
    })),
    fails: ["store.list.order"],
  },
  {
    wrong: "goes on listing after its signal fired",
    make: broken((store) => ({ list: (prefix) => store.list(prefix) })),
    fails: ["store.list.abort"],
  },
  {
    wrong: "opens a file for a body before it is read",
    make: broken((store) => ({
      async get(key, options) {
        const { object, body } = await store.get(key, options);
        return { object, body: closedInTheEnd(body, openFile()) };
      },
    })),
    fails: ["store.get.handles"],
  },
  {
    wrong: "does not close a body that is not read to its end",
    make: broken((store) => ({
      async get(key, options) {
        const { object, body } = await store.get(key, options);
        return { object, body: closedAtTheEnd(body) };
      },
    })),
    fails: ["store.get.handles"],
  },
  {
    wrong: "leaves its unfinished file, and has no sweep",
    make: (dir) => {
      const store = memoryStore();
      let count = 0;
      const put: BundleStore["put"] = async (key, body, options) => {
        const partial = join(dir, `partial-${String(count++)}`);
        await writeFile(partial, "half");
        const object = await store.put(key, body, options);
        await unlink(partial);
        return object;
      };
      const { sweep: _none, ...others } = store;
      return { ...right(), store: { ...others, put }, place: dir };
    },
    fails: ["store.put.leftovers"],
  },
  {
    wrong: "throws when there is nothing to delete",
    make: broken((store) => ({
      async delete(key, options) {
        if (await store.delete(key, options)) return true;
        throw new KeepsakeError("E_NOT_FOUND", "404");
      },
    })),
    fails: ["store.delete.once", "store.delete.alone", "store.delete.race"],
  },
  {
    wrong: "deletes all that begins alike",
    make: broken((store) => ({
      async delete(key, options) {
        const isThere = await store.delete(key, options);
        for await (const other of store.list(key)) await store.delete(other.key);
        return isThere;
      },
    })),
    fails: ["store.delete.alone"],
  },
  {
    wrong: "deletes although its signal has fired",
    make: broken((store) => ({ delete: (key) => store.delete(key) })),
    fails: ["store.abort-before"],
  },
  {
    wrong: "replaces in two steps",
    make: broken((store) => ({
      async replace(key, body, options) {
        await store.replace?.(key, body.subarray(0, body.length / 2), options);
        await new Promise((resolve) => setImmediate(resolve));
        return replaced(store, key, body, options);
      },
    })),
    fails: ["store.replace"],
  },
  {
    wrong: "sweeps what is there",
    make: broken((store) => ({
      async sweep() {
        for await (const { key } of store.list("")) await store.delete(key);
        return [];
      },
    })),
    fails: ["store.sweep"],
  },
  {
    wrong: "sweeps the bytes of what is visible and old enough",
    make: broken((store) => {
      const swept = new Set<string>();
      return {
        async sweep({ olderThanMs } = { olderThanMs: Number.POSITIVE_INFINITY }) {
          if (olderThanMs === 0) for await (const { key } of store.list("")) swept.add(key);
          return [];
        },
        async get(key, options) {
          const found = await store.get(key, options);
          return swept.has(key) ? { ...found, body: chunked("") } : found;
        },
      };
    }),
    fails: ["store.sweep"],
  },
  {
    wrong: "calls itself durable and forgets",
    make: broken((store) => ({ capabilities: { ...store.capabilities, durable: true } }), { reopen: memoryStore }),
    fails: ["store.durable.reopen"],
  },
  {
    wrong: "holds whole objects in memory",
    make: broken(() => ({}), { boundedMemory: true }),
    fails: ["store.put.bounded-memory"],
    options: { streamBytes: 64 * 1024 * 1024 },
  },
  {
    wrong: "goes on after it was disposed",
    make: broken(() => ({ [Symbol.asyncDispose]: async () => undefined }) as Partial<BundleStore>),
    fails: ["store.dispose"],
  },
  {
    wrong: "cannot be disposed twice",
    make: broken((store) => {
      let disposed = 0;
      return {
        put: async (key, body, options) => {
          if (disposed > 0) throw new Error("closed");
          return store.put(key, body, options);
        },
        [Symbol.asyncDispose]: async () => {
          if (disposed++ > 0) throw new Error("closed twice");
        },
      } as Partial<BundleStore>;
    }),
    fails: ["store.dispose"],
  },
  {
    wrong: "is not empty",
    make: async () => {
      const subject = right();
      await subject.store.put("left/over", chunked("x"));
      return subject;
    },
    fails: ["store.subject"],
  },
];

describe("the store suite", () => {
  expectBroken(storeConformance, right, STORES);
});
