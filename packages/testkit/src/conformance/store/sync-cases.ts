import { chunked } from "../../streams.js";
import { noise } from "../bodies.js";
import { callsOf } from "../crash/crash-program.js";
import { check } from "../expectations.js";
import { NotJudged } from "../not-judged.js";
import type { PortCase } from "../port-case.js";
import { entriesBelow } from "./entries-below.js";
import type { StoreSubject } from "./store-subject.js";
import { unsyncedOf } from "./unsynced.js";

/** Does not compress to less than its half. */
const TEXT = noise(4_000).toString("hex");

export const SYNC_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.crash.synced",
    says: "A store that is `durable` and writes files syncs each before it gets its name, and then the folder, also after `replace`.",
    needs: {
      capability: "synced",
      async inverse({ store, crash }) {
        check(crash === undefined || !store.capabilities.durable, "A durable store with `crash` shows its calls.");
      },
    },
    async run({ store, crash }) {
      check(crash !== undefined, "The subject has `crash`.");
      for (const what of store.replace === undefined ? (["put"] as const) : (["put", "replace"] as const)) {
        if (what === "replace") await store.put("synced/replace", chunked("what was there"));
        const folders = [crash.within, ...(await entriesBelow(crash.within, "folders"))];
        const calls = await callsOf(crash, { do: what, key: `synced/${what}`, text: TEXT });
        const unsynced = unsyncedOf(calls, TEXT.length, folders);
        if (unsynced === undefined)
          throw new NotJudged(`No file was seen to be written in ${crash.within} by ${what}.`);
        check(unsynced.length === 0, `A power cut may take what a ${what} said is kept. ${unsynced.join(" ")}`);
      }
    },
  },
];
