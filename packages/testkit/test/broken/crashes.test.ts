import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { BundleStore, JsonObject, LockManager } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import {
  checkConformance,
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
const only = (wanted: string, cases: readonly ConformanceCase[]): ConformanceCase[] =>
  cases.filter(({ id }) => id === wanted);

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
    (factory) => only("store.crash", storeConformance(factory)),
    store(),
    STORES.map((wrong) => ({ wrong, make: store(wrong), fails: ["store.crash"] })),
  );
});

/** Nothing of it shows as long as the power is on: the sweep, which takes long, has nothing to find in most. */
const UNSYNCED = [
  "syncs nothing of an object",
  "syncs an object after it has its name",
  "does not sync the folder",
  "writes into the object's own place",
];

describe("a durable store whose calls are seen", () => {
  expectBroken(
    (factory) => only("store.crash.synced", storeConformance(factory)),
    store(),
    UNSYNCED.map((wrong) => ({ wrong, make: store(wrong), fails: ["store.crash.synced"] })),
  );

  it("passes one whose every write is synced by how its file was opened", async () => {
    const make = store("syncs every write by how it opened the file");
    const cases = only("store.crash.synced", storeConformance({ create: make }));
    expect((await checkConformance(cases)).results).toMatchObject([{ status: "passed" }]);
  });

  it("is not judged where its process writes no file", async () => {
    const elsewhere = (dir: string): StoreSubject => {
      const { crash, ...subject } = store()(dir);
      return { ...subject, crash: crash && { ...crash, within: join(dir, "elsewhere") } };
    };
    const create = async (dir: string) => {
      await mkdir(join(dir, "elsewhere"));
      return elsewhere(dir);
    };
    const { ok, results } = await checkConformance(only("store.crash.synced", storeConformance({ create })));
    const reason = expect.stringMatching(/^No file was seen to be written in .* by put\.$/) as string;
    expect([ok, results]).toMatchObject([true, [{ status: "not_checked", reason }]]);
  });
});

describe("locks whose holder is killed", () => {
  expectBroken(
    (factory) => only("lock.crash", lockConformance(factory)),
    locks(),
    ["waits for the dead", "counts from one again"].map((wrong) => ({
      wrong,
      make: locks(wrong),
      fails: ["lock.crash"],
    })),
  );
});
