import { chunked } from "../../streams.js";
import { check, failsAs, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { StoreSubject } from "./store-subject.js";
import { inByteOrder, keysIn, objectsIn, putAll, textOf } from "./store-tools.js";

const LISTED = 1_050;

/** All that an artifact path may be on any system; each its own object. */
const ODD_KEYS = [
  ".hidden",
  "...",
  "a b",
  " lead and trail ",
  "-rf",
  "~",
  "*?[x]",
  "'\"`",
  "$HOME",
  "#?&=+%",
  "%2e%2e",
  "%41/A",
  "z/a:b",
  "é",
  "日本/語",
  "😀",
  "x".repeat(200),
  "d/e/e/p/e/r/and/deeper",
];

export const LIST_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.keys.odd",
    says: "Any artifact path can be a key: spaces, quotes, percent signs, dots, Unicode, long and deep ones.",
    async run({ store }) {
      for (const key of ODD_KEYS) await store.put(key, chunked(key));
      for (const key of ODD_KEYS) same(await textOf(store, key), key, `The object under ${JSON.stringify(key)}.`);
      same(new Set(await keysIn(store)), new Set(ODD_KEYS), "`list` tells other keys than were put.");
      for (const key of ODD_KEYS) same(await store.delete(key), true, `Deleting ${JSON.stringify(key)}.`);
    },
  },
  {
    id: "store.list.empty",
    says: "Nothing is listed of an empty store, nor under a prefix that no key has.",
    async run({ store }) {
      same(await keysIn(store), [], "An empty store lists something.");
      await store.put("a/k", chunked("x"));
      for (const prefix of ["b", "a/k/", "a/kk", "k", "/"]) same(await keysIn(store, prefix), [], `Under ${prefix}.`);
    },
  },
  {
    id: "store.list.order",
    says: "Keys are listed in ascending order of their UTF-8 bytes.",
    async run({ store }) {
      // Neither the order of UTF-16 code units nor that of a walk through folders.
      const keys = ["a-b", "a/b", "a.b", "a/b-c", "a/ab/c", "a0", "é", "aé/x", "\uFF5E", "😀", "z/Z", "z/é", "Z"];
      await putAll(store, keys);
      same(await keysIn(store), inByteOrder(keys), "The order is another.");
    },
  },
  {
    id: "store.list.prefix",
    says: "A prefix is a prefix of the whole key: it may end within a segment, at a slash, or be a key itself.",
    async run({ store }) {
      // The last ones mean something to who looks for patterns instead of prefixes, or has no eye for upper case.
      const special = ["a_b/k", "axb/k", "a%b/k", "A/b", "a*b"];
      const keys = ["a-b", "a/b", "a/b-c", "a/bc/d", "a/c", "ab", "b/a/b", ...special];
      await putAll(store, keys);
      for (const prefix of ["", "a", "a/", "a/b", "a/b-", "a/bc/", "a/c", "b/a", "ab", "a_b", "a_", "a%", "A", "a*"]) {
        const expected = inByteOrder(keys.filter((key) => key.startsWith(prefix)));
        same(await keysIn(store, prefix), expected, `Under the prefix ${JSON.stringify(prefix)}.`);
      }
    },
  },
  {
    id: "store.list.many",
    says: `All of ${LISTED} objects are listed, each once and in order, though servers give 1,000 at a time.`,
    async run({ store }) {
      const keys = Array.from({ length: LISTED }, (_none, index) => `many/${String(index).padStart(5, "0")}`);
      await putAll(store, keys, "x");
      await store.put("n", chunked("beside"));
      same(await keysIn(store, "many/"), keys, "What is listed under a prefix.");
      same(await keysIn(store), [...keys, "n"], "What is listed of the whole store.");
    },
  },
  {
    id: "store.list.facts",
    says: "`list` tells of each object what `head` tells.",
    async run({ store }) {
      await putAll(store, ["a", "b/c"], "some text");
      for (const object of await objectsIn(store)) {
        const head = await store.head(object.key);
        same({ ...head, ...object }, { ...object, ...head }, `Of ${object.key}.`);
        same(object.sizeBytes, 9, `The size of ${object.key}.`);
      }
    },
  },
  {
    id: "store.list.early-stop",
    says: "A reader of a list may stop early, and the store goes on.",
    async run({ store }) {
      await putAll(store, ["a", "b", "c"]);
      for (let round = 0; round < 16; round++) for await (const _object of store.list("")) break;
      same(await store.delete("b"), true, "An object cannot be deleted afterwards.");
      same(await keysIn(store), ["a", "c"], "The list afterwards.");
    },
  },
  {
    id: "store.list.abort",
    says: "A signal that has fired, or fires between two objects, stops a list with its reason.",
    async run({ store }) {
      await putAll(store, ["a", "b", "c"]);
      const reason = new DOMException("stop", "AbortError");
      const read = async (controller: AbortController): Promise<void> => {
        for await (const _object of store.list("", { signal: controller.signal })) controller.abort(reason);
      };
      await failsAs(reason, read(new AbortController()), "The signal fired after the first object.");
      const fired = new AbortController();
      fired.abort(reason);
      await failsAs(reason, read(fired), "The signal had fired.");
    },
  },
  {
    id: "store.list.while-changing",
    says: "While others put and delete, a list still has every object that was there all the time, once.",
    async run({ store }) {
      const stable = Array.from({ length: 40 }, (_none, index) => `s/${String(index).padStart(3, "0")}`);
      await putAll(store, stable);
      const change = async (): Promise<void> => {
        for (let round = 0; round < 20; round++) {
          await store.put(`s/0${String(round)}x`, chunked("x"));
          await store.delete(`s/0${String(round)}x`);
        }
      };
      const look = async (): Promise<void> => {
        for (let round = 0; round < 10; round++) {
          const keys = await keysIn(store, "s/");
          same(new Set(keys).size, keys.length, "A key is listed twice.");
          check(
            stable.every((key) => keys.includes(key)),
            "An object that was there all the time is not listed.",
          );
        }
      };
      await Promise.all([change(), look()]);
    },
  },
];
