import { chunked } from "../../streams.js";
import { noise } from "../bodies.js";
import { check, failsAs, failureOf, isAbsent, same, sameBytes } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { StoreSubject } from "./store-subject.js";
import { bytesOf, expectInvisible, keysIn, putAll, textOf } from "./store-tools.js";

const HOUR_MS = 3_600_000;

export const OTHER_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.delete.once",
    says: "`delete` answers true, then false; the object is gone, and its key can be put again.",
    async run({ store }) {
      await store.put("a/k", chunked("x"));
      same(await store.delete("a/k"), true, "Deleting what is there.");
      await expectInvisible(store, "a/k", "after it was deleted");
      same(await store.delete("a/k"), false, "Deleting what is gone.");
      same(await store.delete("a/never"), false, "Deleting what never was.");
      same(await store.delete("never/k"), false, "Deleting what never was, where nothing was.");
      await store.put("a/k", chunked("new"));
      same(await textOf(store, "a/k"), "new", "The object put again.");
    },
  },
  {
    id: "store.delete.alone",
    says: "`delete` removes the one object and none with a similar key.",
    async run({ store }) {
      await putAll(store, ["a/k", "a/k1", "a/k-", "b"]);
      await store.delete("a/k");
      same(await store.delete("a"), false, "Deleting a prefix.");
      same(await keysIn(store), ["a/k-", "a/k1", "b"], "What is left.");
    },
  },
  {
    id: "store.delete.race",
    says: "Of 16 who delete one object at the same time none fails, and at least one is told that it was there.",
    async run({ store }) {
      await store.put("k", chunked("x"));
      const answers = await Promise.all(Array.from({ length: 16 }, () => store.delete("k")));
      check(answers.includes(true), "Nobody was told that there was an object.");
      await expectInvisible(store, "k", "after it was deleted");
    },
  },
  {
    id: "store.abort-before",
    says: "With a signal that has fired, `head` and `delete` fail with its reason and change nothing.",
    async run({ store }) {
      await store.put("k", chunked("x"));
      const reason = new DOMException("stop", "AbortError");
      const signal = AbortSignal.abort(reason);
      await failsAs(reason, store.head("k", { signal }), "`head` with a signal that has fired.");
      await failsAs(reason, store.delete("k", { signal }), "`delete` with a signal that has fired.");
      same(await keysIn(store), ["k"], "What is there.");
    },
  },
  {
    id: "store.replace",
    says: "`replace` makes an object or takes the place of one; who reads meanwhile sees the old or the new one whole.",
    needs: {
      capability: "replace",
      async inverse({ store }) {
        isAbsent(store, "replace", "A store without `replace` has no such member.");
      },
    },
    async run({ store }) {
      const versions = ["a", "b", "c"].map((letter) => letter.repeat(50_000));
      await store.replace?.("n", Buffer.from(versions[0] ?? ""));
      let isDone = false;
      const write = async (): Promise<void> => {
        for (let round = 0; round < 12; round++) await store.replace?.("n", Buffer.from(versions[round % 3] ?? ""));
        isDone = true;
      };
      const read = async (): Promise<void> => {
        while (!isDone) check(versions.includes(await textOf(store, "n")), "A reader saw a mixture.");
      };
      await Promise.all([write(), read()]);
      const last = await store.replace?.("n", Buffer.from("short"));
      same(last?.sizeBytes, 5, "`replace` answers the size.");
      same(await textOf(store, "n"), "short", "What was replaced last.");
      same(await keysIn(store), ["n"], "What is listed.");
    },
  },
  {
    id: "store.sweep",
    says: "`sweep` takes away nothing that is visible, nor what is being written.",
    needs: {
      capability: "sweep",
      async inverse({ store }) {
        isAbsent(store, "sweep", "A store without `sweep` has no such member.");
      },
    },
    async run({ store }) {
      await store.put("a/k", chunked("x"));
      const half = noise(9 * 1024 * 1024);
      await store.put(
        "a/slow",
        (async function* () {
          yield half;
          await store.sweep?.({ olderThanMs: HOUR_MS });
          yield Buffer.from("end");
        })(),
      );
      same(await keysIn(store), ["a/k", "a/slow"], "What is there after a sweep.");
      same((await store.head("a/slow"))?.sizeBytes, half.length + 3, "An object that was being written is not whole.");
      // By now all of it is older than that.
      await store.sweep?.({ olderThanMs: 0 });
      same(await textOf(store, "a/k"), "x", "An object that was swept beside.");
      const whole = Buffer.concat([half, Buffer.from("end")]);
      sameBytes(await bytesOf(store, "a/slow"), whole, "A large object that was swept beside is another.");
    },
  },
  {
    id: "store.durable.reopen",
    says: "What was put and deleted is so for the store opened again, too.",
    needs: {
      capability: "durable",
      async inverse({ store }) {
        await store.put("k", chunked("x"));
        same(await textOf(store, "k"), "x", "The object in the store that put it.");
      },
    },
    async run({ store, reopen }) {
      await putAll(store, ["a/k", "b"]);
      await store.delete("b");
      const again = await reopen?.();
      check(again !== undefined, "The subject of a durable store has `reopen`.");
      same(await keysIn(again), ["a/k"], "What is listed by the store opened again.");
      same(await textOf(again, "a/k"), "a/k", "What is read by the store opened again.");
    },
  },
  {
    id: "store.dispose",
    says: "A store that can be disposed may be so twice; afterwards `put` fails instead of seeming to work.",
    needs: {
      capability: "disposable",
      async inverse({ store }) {
        await store.put("k", chunked("x"));
        same(await textOf(store, "k"), "x", "A store without an end goes on.");
      },
    },
    async run({ store }) {
      const { [Symbol.asyncDispose]: async, [Symbol.dispose]: sync } = store as Partial<AsyncDisposable & Disposable>;
      for (let round = 0; round < 2; round++) {
        const closing: unknown = (async ?? sync)?.call(store);
        await closing;
      }
      await failureOf(store.put("k", chunked("x")), "`put` into a store that was disposed.");
    },
  },
];
