import { readdir } from "node:fs/promises";
import type { BundleStore, LockManager, ProviderContext, StandardSchema } from "@keepsake/core";
import { chunked, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { localFsPlugin } from "../src/index.js";

interface Made {
  readonly kind: string;
  readonly name: string;
  readonly options: StandardSchema;
  create(options: unknown, resolver: unknown, context: ProviderContext): unknown;
}

async function make(kind: string, options: unknown, context: ProviderContext): Promise<unknown> {
  const provider = localFsPlugin.providers?.find((one) => one.kind === kind) as unknown as Made;
  expect(provider.name).toBe("local-fs");
  const result = await provider.options["~standard"].validate(options);
  if (result.issues !== undefined) throw new Error(result.issues.map((issue) => issue.message).join());
  return provider.create(result.value, {}, context);
}

describe("the plugin", () => {
  it("makes a store and locks in folders relative to the configuration", async () => {
    await using dir = await tempDir();
    const store = (await make("store", { root: "./s" }, { id: "primary", baseDir: dir.path })) as BundleStore;
    expect(store.id).toBe("primary");
    await store.put("k", chunked("x"));
    const locks = (await make("lock", { root: "locks" }, { id: undefined, baseDir: dir.path })) as LockManager;
    await using lock = await locks.acquire("a", { timeoutMs: 0 });
    expect(lock.fencingToken).toBe(1);
    expect((await readdir(dir.path)).sort()).toEqual(["locks", "s"]);
    expect(((await make("store", { root: dir.path }, { id: undefined, baseDir: "/" })) as BundleStore).id).toBe(
      "local-fs",
    );
  });

  it("refuses options it does not know", async () => {
    const context = { id: undefined, baseDir: "/" };
    await expect(make("store", { root: "s", bucket: "b" }, context)).rejects.toThrow(/bucket/);
    await expect(make("store", {}, context)).rejects.toThrow();
    await expect(make("lock", { root: "s", lease_secs: 0 }, context)).rejects.toThrow();
  });
});
