import { isPlainJson, check, same } from "../expectations.js";
import { bindSuite } from "../bind-suite.js";
import type { ConformanceCase } from "../conformance-case.js";
import type { PortCase, PortSuite } from "../port-case.js";
import { CRASH_CASES } from "./crash-cases.js";
import { FAILED_PUT_CASES } from "./failed-put-cases.js";
import { GET_CASES } from "./get-cases.js";
import { HANDLE_CASES } from "./handle-cases.js";
import { LEFTOVER_CASES } from "./leftover-cases.js";
import { LIST_CASES } from "./list-cases.js";
import { OTHER_CASES } from "./other-cases.js";
import { PUT_CASES } from "./put-cases.js";
import { SYNC_CASES } from "./sync-cases.js";
import type { StoreFactory, StoreSubject } from "./store-subject.js";
import { keysIn } from "./store-tools.js";

const SUBJECT: PortCase<StoreSubject> = {
  id: "store.subject",
  says: "The subject is an empty store with an id, a line for people, and declared capabilities.",
  async run({ store, reopen }) {
    check(typeof store.id === "string" && store.id !== "", "A store has an id.");
    const line = store.describe();
    check(typeof line === "string" && /^[^\n]+$/.test(line), "`describe()` gives one line.");
    const { durable, noOverwrite, ranges } = store.capabilities;
    const declared = [typeof durable, ["atomic", "advisory"].includes(noOverwrite), typeof ranges];
    same(declared, ["boolean", true, "boolean"], "A store declares `durable`, `noOverwrite` and `ranges`.");
    check(isPlainJson(store.capabilities), "Capabilities are plain data.");
    check(!durable || typeof reopen === "function", "The subject of a durable store has `reopen`.");
    same(await keysIn(store), [], "Each case gets an empty store.");
  },
};

/** All promises of a {@link BundleStore}. */
export const STORE_SUITE: PortSuite<StoreSubject> = {
  port: "store",
  cases: [
    SUBJECT,
    ...PUT_CASES,
    ...FAILED_PUT_CASES,
    ...LEFTOVER_CASES,
    ...GET_CASES,
    ...HANDLE_CASES,
    ...LIST_CASES,
    ...OTHER_CASES,
    ...CRASH_CASES,
    ...SYNC_CASES,
  ],
  capabilities: ({ store, boundedMemory = true, crash, place = crash?.within }) => ({
    durable: store.capabilities.durable,
    atomic: store.capabilities.noOverwrite === "atomic",
    ranges: store.capabilities.ranges,
    replace: store.replace !== undefined,
    sweep: store.sweep !== undefined,
    boundedMemory,
    crash: crash !== undefined,
    synced: crash !== undefined && store.capabilities.durable,
    place: place !== undefined,
    disposable: Symbol.asyncDispose in store || Symbol.dispose in store,
  }),
};

/** The cases for a store. */
export function storeConformance(factory: StoreFactory): readonly ConformanceCase[] {
  return bindSuite(STORE_SUITE, factory);
}
