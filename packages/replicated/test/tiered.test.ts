import { type BundleStore, type Clock, KeepsakeError, type StoreTrouble } from "@keepsake/core";
import { faultyStore, memoryStore, type StoreFault } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { tiered } from "../src/index.js";
import { codeOf, keys, put, text } from "./support/store-reads.js";

const DAY = 86_400_000;
const DOWN = new KeepsakeError("E_IO", "The line is cut.");

function tiers(plans: { readonly hot?: readonly StoreFault[]; readonly cold?: readonly StoreFault[] } = {}) {
  const hot = memoryStore("hot");
  const cold = memoryStore("cold");
  const troubles: StoreTrouble[] = [];
  let laterMs = 0;
  const clock: Clock = { now: () => Date.now() + laterMs };
  const whole = tiered({
    hot: faultyStore(hot, plans.hot ?? []),
    cold: faultyStore(cold, plans.cold ?? []),
    afterMs: 30 * DAY,
    clock,
    tell: (trouble) => troubles.push(trouble),
  });
  return { whole, hot, cold, troubles, later: (days: number) => (laterMs = days * DAY) };
}

describe("what is old", () => {
  it("is moved by a sweep, and found, listed once, refused and deleted as before", async () => {
    const { whole, hot, cold, later } = tiers();
    await put(whole, "a/old.tar", "old");
    await put(whole, "a/old.json", "{}");
    await whole.sweep?.({ olderThanMs: 0 });
    expect(await keys(cold)).toEqual([]);
    later(31);
    await whole.sweep?.({ olderThanMs: 0 });
    await put(hot, "a/young.tar", "young");
    expect([await keys(hot), await keys(cold)]).toEqual([["a/old.json", "a/young.tar"], ["a/old.tar"]]);
    expect(await keys(whole)).toEqual(["a/old.json", "a/old.tar", "a/young.tar"]);
    expect(await text(whole, "a/old.tar")).toBe("old");
    expect(await codeOf(put(whole, "a/old.tar", "again"))).toBe("E_ALREADY_EXISTS");
    expect(await whole.delete("a/old.tar")).toBe(true);
    expect(await whole.delete("a/old.tar")).toBe(false);
    expect(await keys(cold)).toEqual([]);
  });

  it("is in one of the two whole, wherever the move breaks off; the next goes on", async () => {
    const faults: readonly { readonly hot?: StoreFault; readonly cold?: StoreFault }[] = [
      { hot: { on: "get", call: 1, fail: DOWN } },
      { cold: { on: "put", call: 1, fail: DOWN } },
      { cold: { on: "put", call: 1, fail: DOWN, when: "after" } },
      { cold: { on: "get", call: 1, fail: DOWN } },
      { cold: { on: "get", call: 1, cutAfterBytes: 1 } },
      { hot: { on: "delete", call: 1, fail: DOWN } },
      { hot: { on: "delete", call: 1, fail: DOWN, when: "after" } },
    ];
    for (const { hot: near, cold: far } of faults) {
      const { whole, hot, cold, later, troubles } = tiers({
        ...(near ? { hot: [near] } : {}),
        ...(far ? { cold: [far] } : {}),
      });
      await put(hot, "k.tar", "content");
      later(31);
      expect(await whole.settle()).toEqual([]);
      expect(troubles).toHaveLength(1);
      expect(await keys(whole)).toEqual(["k.tar"]);
      expect(await text(whole, "k.tar")).toBe("content");
      await whole.settle();
      expect([await keys(hot), await text(cold, "k.tar")]).toEqual([[], "content"]);
    }
  });

  it("stays where another object has its name, and both stay", async () => {
    const { whole, hot, cold, later, troubles } = tiers();
    await put(hot, "k.tar", "near");
    await put(cold, "k.tar", "far!");
    later(31);
    expect(await whole.settle()).toEqual([]);
    expect([await text(hot, "k.tar"), await text(cold, "k.tar")]).toEqual(["near", "far!"]);
    expect(troubles.map(({ code }) => code)).toEqual(["differs"]);
  });

  it("does not come back when it is deleted while it is moved", async () => {
    const { hot, cold } = tiers();
    const deleting: BundleStore = {
      ...cold,
      async put(key, body, options) {
        const object = await cold.put(key, body, options);
        // The deletion found nothing far, a moment ago.
        await hot.delete(key);
        return object;
      },
    };
    await put(hot, "k.tar", "content");
    const whole = tiered({ hot, cold: deleting, afterMs: 0 });
    expect(await whole.settle()).toEqual([]);
    expect(await keys(whole)).toEqual([]);
  });
});

describe("a far store that is down", () => {
  it("does not keep what is new from being written, read and listed, and is told", async () => {
    const { whole, troubles } = tiers({
      cold: (["put", "get", "head", "list"] as const).map((on) => ({ on, fail: DOWN })),
    });
    await put(whole, "k.tar", "x");
    expect(await text(whole, "k.tar")).toBe("x");
    expect(await keys(whole)).toEqual(["k.tar"]);
    expect(new Set(troubles.map(({ store, code }) => `${store} ${code}`))).toEqual(new Set(["cold E_IO"]));
    expect(await codeOf(text(whole, "elsewhere.tar"))).toBe("E_IO");
    expect((await whole.inspect?.())?.map(({ status }) => status)).toEqual(["problem"]);
  });
});

it("a key that was moved between the question and the writing is refused", async () => {
  const { hot, cold } = tiers();
  const moving: BundleStore = {
    ...hot,
    async put(key, body, options) {
      await put(cold, key, "moved");
      return hot.put(key, body, options);
    },
  };
  const whole = tiered({ hot: moving, cold, afterMs: DAY });
  expect(await codeOf(put(whole, "k.tar", "second"))).toBe("E_ALREADY_EXISTS");
  expect([await keys(hot), await text(whole, "k.tar")]).toEqual([[], "moved"]);
});

describe("a far store that lost what was moved there, or is another than it was", () => {
  const STEM = "tenants/t/snapshots/a/01890a5d-ac96-774b-bcce-b302099a8057";
  const YOUNG = "tenants/t/snapshots/a/01890a5d-ac96-774b-bcce-b302099a8058";

  async function lost() {
    const at = tiers();
    await put(at.whole, `${STEM}.tar.zst`, "bundle");
    await put(at.whole, `${STEM}.json`, "{}");
    at.later(31);
    await at.whole.settle();
    expect(await at.whole.inspect?.()).toEqual([]);
    await put(at.whole, `${YOUNG}.tar.zst`, "young");
    await at.cold.delete(`${STEM}.tar.zst`);
    return at;
  }

  it("is said so by the records that stayed, with where to look, and never that they are to be deleted", async () => {
    const { whole } = await lost();
    const [finding] = (await whole.inspect?.()) ?? [];
    expect(finding).toMatchObject({ status: "problem", details: { store: "cold", without_bundle: 1, empty: true } });
    expect(finding?.message).toContain("neither there nor in the store cold");
    expect(finding?.hint).toContain("mounted");
  });

  it("gets nothing more while it is empty: that would be hidden by what is mounted over it", async () => {
    const { whole, hot, cold, troubles } = await lost();
    expect(await whole.settle()).toEqual([]);
    expect(await keys(hot)).toContain(`${YOUNG}.tar.zst`);
    expect(troubles.map(({ store, code }) => `${store} ${code}`)).toEqual(["cold differs"]);
    await put(cold, `${STEM}.tar.zst`, "bundle");
    expect(await whole.settle()).toEqual([`${YOUNG}.tar.zst`]);
  });
});
