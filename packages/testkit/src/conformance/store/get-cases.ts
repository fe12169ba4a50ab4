import { chunked, collect } from "../../streams.js";
import { gathered, noise } from "../bodies.js";
import { check, failsAs, failsWith, same, sameBytes } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { StoreSubject } from "./store-subject.js";
import { bytesOf, expectInvisible, textOf } from "./store-tools.js";

const KEY = "a/k";
const MIB = 1024 * 1024;

export const GET_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.get.missing",
    says: "An object that is not there is E_NOT_FOUND for `get` and undefined for `head`, also beside similar keys.",
    async run({ store }) {
      await store.put("a/k", chunked("x"));
      for (const key of ["a", "a/", "a/k1", "k", "A/K", "a/k/x"]) {
        if (!key.endsWith("/")) await expectInvisible(store, key, `under the key ${key}, which does not exist`);
      }
    },
  },
  {
    id: "store.get.ranges",
    says: "A range gives the first, middle and last bytes; past the end it ends at the end; it may be empty.",
    needs: {
      capability: "ranges",
      async inverse({ store }) {
        await store.put(KEY, chunked("0123456789"));
        const ranged = textOf(store, KEY, { start: 1, length: 2 });
        await failsWith("E_UNSUPPORTED", ranged, "A range of a store that declares to have none.");
      },
    },
    async run({ store }) {
      await store.put(KEY, chunked("0123456789"));
      for (const [start, length, expected] of [
        [0, 3, "012"],
        [0, 1, "0"],
        [4, 3, "456"],
        [7, 3, "789"],
        [9, 1, "9"],
        [0, 10, "0123456789"],
        [7, 100, "789"],
        [0, 100, "0123456789"],
        [3, 0, ""],
        [10, 1, ""],
        [99, 1, ""],
      ] as const) {
        const { object, body } = await store.get(KEY, { range: { start, length } });
        same((await gathered(body)).toString(), expected, `The range from ${start}, ${length} bytes long.`);
        same(object.sizeBytes, 10, "The facts of an object are of all of it, also when a range is read.");
      }
    },
  },
  {
    id: "store.get.range-borders",
    says: "Ranges are exact across the borders of chunks and parts of a larger object.",
    needs: {
      capability: "ranges",
      async inverse({ store }) {
        await store.put(KEY, chunked(noise(MIB)));
        const ranged = bytesOf(store, KEY, { start: 65_535, length: 2 });
        await failsWith("E_UNSUPPORTED", ranged, "A range of a store that declares to have none.");
      },
    },
    async run({ store }) {
      const bytes = noise(9 * MIB + 1);
      await store.put(KEY, chunked(bytes, MIB));
      for (const border of [65_536, 256 * 1024, MIB, 5 * MIB, 8 * MIB, 9 * MIB]) {
        const range = { start: border - 1, length: 2 };
        sameBytes(await bytesOf(store, KEY, range), bytes.subarray(border - 1, border + 1), `Around ${border}.`);
      }
      const long = { start: 1, length: 9 * MIB };
      sameBytes(await bytesOf(store, KEY, long), bytes.subarray(1), "All but the first byte.");
    },
  },
  {
    id: "store.get.readers",
    says: "Sixteen readers of one object at the same time each get all of it.",
    async run({ store }) {
      const bytes = noise(2 * MIB);
      await store.put(KEY, chunked(bytes, 100_001));
      const read = await Promise.all(Array.from({ length: 16 }, () => bytesOf(store, KEY)));
      for (const one of read) sameBytes(one, bytes, "One of 16 readers got other bytes.");
    },
  },
  {
    id: "store.get.chunks-kept",
    says: "A chunk that was handed over does not change when the next is read.",
    async run({ store }) {
      const bytes = noise(3 * MIB);
      await store.put(KEY, chunked(bytes, MIB));
      const kept: Uint8Array[] = [];
      for await (const chunk of (await store.get(KEY)).body) kept.push(chunk);
      sameBytes(Buffer.concat(kept), bytes, "Chunks were used again after they were handed over.");
    },
  },
  {
    id: "store.get.unread",
    says: "Bodies that are never read, or not to their end, hold nothing: the object can be deleted and the store goes on.",
    async run({ store }) {
      await store.put(KEY, chunked(noise(2 * MIB), MIB));
      for (let round = 0; round < 64; round++) {
        await store.get(KEY);
        for await (const _chunk of (await store.get(KEY)).body) break;
      }
      same(await store.delete(KEY), true, "The object cannot be deleted.");
      await store.put(KEY, chunked("again"));
      same(await textOf(store, KEY), "again", "The store does not go on.");
    },
  },
  {
    id: "store.get.abort-before",
    says: "With a signal that has fired, `get` or its body fails with its reason.",
    async run({ store }) {
      await store.put(KEY, chunked("x"));
      const reason = new DOMException("stop", "AbortError");
      const read = async (): Promise<unknown> =>
        collect((await store.get(KEY, { signal: AbortSignal.abort(reason) })).body);
      await failsAs(reason, read(), "The signal had fired.");
    },
  },
  {
    id: "store.get.abort-middle",
    says: "A signal that fires while a body is read stops it with its reason, unless all of it was there already.",
    async run({ store }) {
      const sizeBytes = 24 * MIB;
      await store.put(KEY, chunked(noise(sizeBytes), MIB));
      const reason = new DOMException("stop", "AbortError");
      const controller = new AbortController();
      const { body } = await store.get(KEY, { signal: controller.signal });
      let seen = 0;
      const read = async (): Promise<void> => {
        for await (const chunk of body) {
          seen += chunk.length;
          controller.abort(reason);
        }
      };
      const outcome = await read().catch((error: unknown) => error);
      check(outcome === reason || seen === sizeBytes, "The body ended neither whole nor with the signal's reason.");
      check(outcome === reason || outcome === undefined, "The body failed with something else than the reason.");
      check(seen < sizeBytes || outcome === undefined, "A body that was whole failed.");
      check(seen <= sizeBytes / 2 || outcome !== undefined, "The body went on after the signal had fired.");
    },
  },
  {
    id: "store.get.deleted-meanwhile",
    says: "A body whose object is deleted while it is read comes whole or fails; it never just ends early.",
    async run({ store }) {
      const bytes = noise(8 * MIB);
      await store.put(KEY, chunked(bytes, MIB));
      const { body } = await store.get(KEY);
      await store.delete(KEY);
      const read = await gathered(body).catch(() => undefined);
      if (read !== undefined) sameBytes(read, bytes, "A body ended early without an error.");
    },
  },
];
