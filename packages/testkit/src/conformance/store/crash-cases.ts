import { chunked } from "../../streams.js";
import { crashAt, type CrashSweep, NEEDS_CRASH } from "../crash/crash-program.js";
import { check, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { StoreSubject } from "./store-subject.js";
import { objectsIn, textOf } from "./store-tools.js";

const OLD = "what was there";
/** Several writes. */
const NEW = "0123456789".repeat(500);
/** What there may be afterwards under the key that something was done to; undefined: nothing. */
const OUTCOMES = {
  put: { before: undefined, done: NEW },
  replace: { before: OLD, done: NEW },
  delete: { before: OLD, done: undefined },
} as const;

function sweepOf(subject: StoreSubject, what: keyof typeof OUTCOMES): CrashSweep {
  const { before, done } = OUTCOMES[what];
  return {
    async prepare(strike) {
      const folder = `${what}-${strike}`;
      await subject.store.put(`${folder}/witness`, chunked(OLD));
      if (before !== undefined) await subject.store.put(`${folder}/it`, chunked(before));
      return { do: what, key: `${folder}/it`, text: NEW };
    },
    async judge({ key }, { run }) {
      const store = (await subject.reopen?.()) ?? subject.store;
      const witness = key.replace(/it$/, "witness");
      const texts: Record<string, string> = {};
      for (const object of await objectsIn(store, witness.replace(/witness$/, ""))) {
        texts[object.key] = await textOf(store, object.key);
        same(object.sizeBytes, Buffer.byteLength(texts[object.key] ?? ""), `The size that is listed of ${object.key}.`);
      }
      const { [key]: now, [witness]: other, ...rest } = texts;
      same([other, rest], [OLD, {}], `Beside the object of a ${what} something changed.`);
      check(now === before || now === done, `Of the object of a ${what} a part is left, or something else.`);
      if (run.said === "done") same(now, done, `It said that the ${what} was done.`);
      if (now === undefined) await store.put(key, chunked(NEW));
      else check(await store.delete(key), "What is left cannot be deleted.");
    },
  };
}

export const CRASH_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.crash",
    says: "A process that is killed, or whose calls fail, amid `put`, `replace` or `delete` leaves the object as before or as it shall be, all others alone, and the key usable.",
    needs: NEEDS_CRASH,
    async run(subject) {
      const { store, crash } = subject;
      check(crash !== undefined, "The subject has `crash`.");
      const replace = store.replace === undefined ? [] : [sweepOf(subject, "replace")];
      await crashAt(crash, [sweepOf(subject, "put"), ...replace, sweepOf(subject, "delete")]);
    },
  },
];
