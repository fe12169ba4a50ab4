import { join } from "node:path";
import type { BundleStore, JsonObject, LockManager } from "@keepsake/core";
import { describe } from "vitest";
import {
  type ConformanceCase,
  lockConformance,
  type LockSubject,
  storeConformance,
  type StoreSubject,
} from "../../src/index.js";
import { expectBroken } from "./expect-broken.js";

const module = new URL("../fixtures/crash-parts.mjs", import.meta.url);
const { open } = (await import(module.href)) as { readonly open: (argument: JsonObject) => unknown };

/** What else the suites ask is asked of other parts: these are made to be killed. */
const crashAlone = (cases: readonly ConformanceCase[]): ConformanceCase[] =>
  cases.filter(({ id }) => id.endsWith(".crash"));

function store(wrong = "nothing") {
  return (dir: string): StoreSubject => {
    const argument = { store: join(dir, "store"), wrong };
    const made = (): BundleStore => open({ ...argument, wrong: "nothing" }) as BundleStore;
    return { store: made(), reopen: made, crash: { module, argument, within: dir } };
  };
}

function locks(wrong = "nothing") {
  return (dir: string): LockSubject => {
    const argument = { locks: join(dir, "locks"), wrong };
    return { locks: open(argument) as LockManager, other: null, lose: null, crash: { module, argument, within: dir } };
  };
}

const STORES = [
  "writes into the object's own place",
  "says that it is done before it is",
  "says that it is done when it failed",
  "replaces in two steps",
  "empties an object before it deletes it",
];

describe("a store that is killed", () => {
  expectBroken(
    (factory) => crashAlone(storeConformance(factory)),
    store(),
    STORES.map((wrong) => ({ wrong, make: store(wrong), fails: ["store.crash"] })),
  );
});

describe("locks whose holder is killed", () => {
  expectBroken(
    (factory) => crashAlone(lockConformance(factory)),
    locks(),
    ["waits for the dead", "counts from one again"].map((wrong) => ({
      wrong,
      make: locks(wrong),
      fails: ["lock.crash"],
    })),
  );
});
