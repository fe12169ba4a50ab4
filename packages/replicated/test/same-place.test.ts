import { mkdir, symlink } from "node:fs/promises";
import type { BundleStore } from "@keepsake/core";
import { memoryStore, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { replicated, tiered } from "../src/index.js";
import { keys, put, text } from "./support/store-reads.js";

const onePlace = (store: BundleStore, id: string): BundleStore => ({ ...store, id, describe: () => `the place ${id}` });
const refused = { code: "E_CONFIG", context: { stores: ["a", "b"] } };

describe("two names of one place", () => {
  it("are refused by the first put, which leaves nothing", async () => {
    const place = memoryStore("a");
    for (const write of ["all", { quorum: 1 }] as const) {
      const stores = [memoryStore("c"), onePlace(place, "a"), onePlace(place, "b")];
      const store = replicated({ stores, write });
      await expect(put(store, "k", "text")).rejects.toMatchObject({
        ...refused,
        message: "The stores a and b are one place: the place a, the place b.",
      });
      expect(await keys(place)).toEqual([]);
    }
  });

  it("are told by inspect, which leaves nothing", async () => {
    const place = memoryStore("a");
    const stores = [onePlace(place, "a"), onePlace(place, "b")];
    const told = [{ name: "one_place", status: "problem" }];
    expect(await replicated({ stores }).inspect?.()).toMatchObject(told);
    const [hot, cold] = stores;
    if (!hot || !cold) throw new TypeError("no stores");
    expect(await tiered({ hot, cold, afterMs: 0 }).inspect?.()).toMatchObject(told);
    expect(await keys(place)).toEqual([]);
  });

  it("lose nothing when what is old is to be moved from one to the other", async () => {
    const place = memoryStore("a");
    await put(place, "old", "text");
    const store = tiered({ hot: onePlace(place, "a"), cold: onePlace(place, "b"), afterMs: 0 });
    await expect(store.settle()).rejects.toMatchObject({ code: "E_CONFIG" });
    expect(await text(place, "old")).toBe("text");
  });

  it("are refused at once where it is a folder, also one that is still to be made behind a link", async () => {
    await using dir = await tempDir();
    await mkdir(dir.join("real"));
    await symlink(dir.join("real"), dir.join("link"));
    const folder = (id: string, path: string): BundleStore => ({
      ...memoryStore(id),
      describe: () => `folder ${dir.join(path)}`,
    });
    const a = folder("a", "real/one/two");
    const b = folder("b", "link/one/two");
    const asked = { ...refused, context: expect.objectContaining(refused.context) as object };
    expect(() => replicated({ stores: [a, b] })).toThrow(expect.objectContaining(asked));
    expect(() => tiered({ hot: a, cold: b, afterMs: 0 })).toThrow(expect.objectContaining(asked));
    for (const other of ["link/one", "real/one/two/three"]) replicated({ stores: [a, folder("b", other)] });
  });
});

describe("places of their own", () => {
  it("may be several stores themselves: what is old is moved out of one that is replicated", async () => {
    const [a, b, c] = [memoryStore("a"), memoryStore("b"), memoryStore("c")];
    const store = tiered({ hot: c, cold: replicated({ stores: [a, b] }), afterMs: 0 });
    await put(store, "k", "text");
    expect(await store.settle()).toEqual(["k"]);
    expect([await keys(a), await keys(b), await keys(c), await keys(store)]).toEqual([["k"], ["k"], [], ["k"]]);
  });

  it("that are described alike are no one place, and who loses a race is told so", async () => {
    const [a, b] = [memoryStore("a"), memoryStore("b")];
    const store = replicated({ stores: [a, b] });
    expect(await store.inspect?.()).toEqual([]);
    const outcomes = await Promise.allSettled([put(store, "k", "one"), put(store, "k", "two")]);
    const codes = outcomes.map((outcome) => outcome.status === "rejected" && (outcome.reason as { code: string }).code);
    expect(codes.toSorted()).toEqual(["E_ALREADY_EXISTS", false]);
    expect([await keys(a), await keys(b)]).toEqual([["k"], ["k"]]);
  });
});
