import { type BundleStore, encodeRecord, sha256Hex, staleKey, type StoreTrouble } from "@keepsake/core";
import { memoryStore } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { replicated } from "../src/index.js";
import { put, text } from "./support/store-reads.js";

const ID = "01890a5d-ac96-774b-bcce-b302099a8057";
const STEM = `tenants/t/snapshots/a/${ID}`;
const BUNDLE = `${STEM}.tar.zst`;
const DIGEST = `${BUNDLE}.sha256`;
const RECORD = `${STEM}.json`;
const CONTENT = "content";

function recordText(more: { readonly fileSha256?: string; readonly verifiedAtMs?: number } = {}): string {
  const digest = sha256Hex(CONTENT);
  const record = {
    ...{ recordVersion: 1, id: ID, agentId: "a", tenant: "t", createdAtMs: 1, createdBy: "x", bundlePath: BUNDLE },
    ...{ bundleSizeBytes: CONTENT.length, bundleSha256: digest, fileSha256: digest, manifestSeal: digest },
    ...{ schemaVersions: {}, encrypted: false, redactionsApplied: false, codecs: [], artifactCount: 1, complete: true },
  };
  return Buffer.from(encodeRecord({ ...record, ...more })).toString();
}

/** Stores that all have the same snapshot. */
async function copies(ids: readonly string[]) {
  const stores = ids.map((id) => memoryStore(id));
  const troubles: StoreTrouble[] = [];
  const whole = replicated({ stores, tell: (trouble) => troubles.push(trouble) });
  await put(whole, BUNDLE, CONTENT);
  await put(whole, DIGEST, `${sha256Hex(CONTENT)}\n`);
  await put(whole, RECORD, recordText());
  return {
    whole,
    stores,
    told: () => [...new Set(troubles.map(({ store, code }) => `${store} ${code}`))],
    damage: async (key: string, contents: readonly (string | undefined)[]) => {
      for (const [index, content] of contents.entries()) {
        if (content !== undefined) await stores[index]?.replace?.(key, Buffer.from(content));
      }
    },
  };
}

const FORGED = `${sha256Hex("CONTENT")}\n`;

describe("a digest that is not like the others", () => {
  it("is outvoted: it is not what is read, is told, and put right; the bundle is judged by the others", async () => {
    const { whole, stores, told, damage } = await copies(["a", "b", "c"]);
    await damage(DIGEST, [FORGED]);
    await damage(BUNDLE, [undefined, "CONTENT"]);
    expect(await text(whole, BUNDLE)).toBe(CONTENT);
    expect(await text(whole, DIGEST)).toBe(`${sha256Hex(CONTENT)}\n`);
    expect(told()).toEqual(["a differs"]);
    for (const store of stores) expect(await text(store, DIGEST)).toBe(`${sha256Hex(CONTENT)}\n`);
  });

  it("is outvoted by the record where there are two, and where most of them are forged", async () => {
    for (const [ids, forged] of [
      [["a", "b"], [FORGED]],
      [
        ["a", "b", "c"],
        [FORGED, undefined, FORGED],
      ],
    ] as const) {
      const { whole, stores, damage } = await copies(ids);
      await damage(DIGEST, forged);
      await damage(BUNDLE, ["CONTENT"]);
      expect(await text(whole, BUNDLE)).toBe(CONTENT);
      expect(await text(whole, DIGEST)).toBe(`${sha256Hex(CONTENT)}\n`);
      for (const store of stores) expect(await text(store, DIGEST)).toBe(`${sha256Hex(CONTENT)}\n`);
    }
  });

  it("decides nothing against one other where there is no record: neither is put into the place of the other", async () => {
    const { whole, stores, damage } = await copies(["a", "b"]);
    await whole.delete(RECORD);
    await damage(DIGEST, [FORGED]);
    expect(await text(whole, DIGEST)).toBe(FORGED);
    expect(await text(whole, BUNDLE)).toBe(CONTENT);
    expect(await Promise.all(stores.map((store) => text(store, DIGEST)))).toEqual([FORGED, `${sha256Hex(CONTENT)}\n`]);
  });
});

describe("a record that is not like the others", () => {
  it("is not what is read when it cannot be read, also where most of them cannot; it stays, to be synced", async () => {
    const { whole, stores, told, damage } = await copies(["a", "b", "c"]);
    await damage(RECORD, ["{", "[]"]);
    expect(await text(whole, RECORD)).toBe(recordText());
    expect(told()).toEqual(["a differs", "b differs"]);
    const [first] = stores;
    expect(first && (await text(first, RECORD))).toBe("{");
  });

  it("is outvoted when it speaks of other bytes; that it knows of more checks is no difference", async () => {
    const other = await copies(["a", "b", "c"]);
    await other.damage(RECORD, [recordText({ fileSha256: sha256Hex("CONTENT") })]);
    expect(await text(other.whole, RECORD)).toBe(recordText());
    expect(other.told()).toEqual(["a differs"]);
    const verified = await copies(["a", "b"]);
    await verified.damage(RECORD, [recordText({ verifiedAtMs: 7 })]);
    const { object, body } = await verified.whole.get(RECORD);
    const parts: Uint8Array[] = [];
    for await (const chunk of body) parts.push(chunk);
    expect(Buffer.concat(parts).toString()).toBe(recordText({ verifiedAtMs: 7 }));
    expect(object.sizeBytes).toBe(Buffer.concat(parts).length);
    expect(verified.told()).toEqual([]);
  });
});

describe("inspect", () => {
  const problems = async (store: BundleStore) =>
    ((await store.inspect?.()) ?? []).map(({ status, hint, details }) => ({ status, hint, keys: details?.["keys"] }));

  it("finds copies of another size, digests and records that say something else, and says what puts them right", async () => {
    for (const [key, content] of [
      [BUNDLE, "short"],
      [DIGEST, FORGED],
      [RECORD, recordText().replace('"id"', '"ID"')],
      [RECORD, recordText({ fileSha256: sha256Hex("CONTENT") })],
    ] as const) {
      const { whole, damage } = await copies(["a", "b", "c"]);
      expect(await problems(whole)).toEqual([]);
      await damage(key, [undefined, content]);
      expect(await problems(whole)).toEqual([
        { status: "problem", hint: expect.stringContaining("`keepsake sync a b`") as string, keys: [key] },
      ]);
    }
  });

  it("leaves alone what a note calls out of date", async () => {
    const { whole, stores, damage } = await copies(["a", "b"]);
    await damage(RECORD, ["{"]);
    const [, b] = stores;
    if (b) await put(b, staleKey("a", RECORD), "stale\n");
    expect(await problems(whole)).toMatchObject([
      { status: "warning", hint: expect.stringContaining("recover") as string },
    ]);
  });
});
