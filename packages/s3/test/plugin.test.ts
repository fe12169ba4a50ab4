import {
  type BundleStore,
  isKeepsakeError,
  KeepsakeError,
  type ProviderContext,
  SILENT_LOGGER,
  type StandardSchema,
} from "@keepsake/core";
import { chunked } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { s3Plugin } from "../src/index.js";
import { onServer, testPlace } from "./support/test-server.js";

interface Made {
  readonly kind: string;
  readonly options: StandardSchema;
  create(options: unknown, resolver: unknown, context: ProviderContext): unknown;
}

const secrets = {
  read: async (ref: { readonly env?: string }) => {
    const value = process.env[ref.env ?? ""];
    if (value === undefined) throw new KeepsakeError("E_CONFIG", "not set");
    return value;
  },
};
const resolver = { get: ({ key }: { key: string }) => (key === "keepsake/secrets" ? secrets : SILENT_LOGGER) };

async function make(kind: string, options: unknown): Promise<unknown> {
  const provider = s3Plugin.providers?.find((one) => one.kind === kind && one.name === "s3") as unknown as Made;
  const result = await provider.options["~standard"].validate(options);
  if (result.issues !== undefined) throw new Error(result.issues.map((issue) => issue.message).join());
  return provider.create(result.value, resolver, { id: "primary", baseDir: "/" });
}

describe("the plugin s3", () => {
  it("makes a store and locks without asking anybody", async () => {
    const endpoint = "https://s3.example.com:9000/";
    const store = (await make("store", { bucket: "b", endpoint, prefix: "p" })) as BundleStore;
    expect(store.id).toBe("primary");
    expect(store.describe()).toBe("bucket b at https://s3.example.com:9000, below p/");
    expect((await make("lock", { bucket: "b", lease_secs: 30 })) as object).toHaveProperty("acquire");
    expect(((await make("store", { bucket: "b" })) as BundleStore).describe()).toBe("bucket b");
  });

  it.each([
    [{}, /bucket|expected string/i],
    [{ bucket: "b", key: "x" }, /key/],
    [{ bucket: "b", endpoint: "s3.example.com" }, /address/],
    [{ bucket: "b", endpoint: "ftp://s3.example.com" }, /address/],
    [{ bucket: "b", endpoint: "https://user:hunter2@s3.example.com" }, /credentials/],
    [{ bucket: "b", endpoint: "https://s3.example.com/b" }, /path/],
    [{ bucket: "b", credentials: { access_key_id: "hunter2", secret_access_key: "hunter2" } }, /reference/],
    [{ bucket: "b", storage_class: "DEEP_ARCHIVE" }, /archive/],
    [{ bucket: "b", part_bytes: 1000 }, /5242880/],
    [{ bucket: "b", object_lock: { mode: "GOVERNANCE" } }, /expected number/],
    [{ bucket: "b", timeout_secs: 0 }, />0/],
  ])("refuses %j, and repeats no secret", async (options, message) => {
    const error = await make("store", options).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error?.message).toMatch(message);
    expect(error?.message).not.toContain("hunter2");
  });

  it("refuses a prefix that leads elsewhere", async () => {
    await expect(make("store", { bucket: "b", prefix: "../up" })).rejects.toSatisfy((error) =>
      isKeepsakeError(error, "E_UNSAFE_PATH"),
    );
  });
});

onServer("the plugin s3", () => {
  it("reads its keys through references", async () => {
    const credentials = {
      access_key_id: { env: "AWS_ACCESS_KEY_ID" },
      secret_access_key: { env: "AWS_SECRET_ACCESS_KEY" },
    };
    const store = (await make("store", { ...testPlace(), credentials })) as BundleStore;
    await store.put("k", chunked("x"));
    expect(await store.delete("k")).toBe(true);
    const missing = { ...credentials, secret_access_key: { env: "NOBODY_SET_THIS" } };
    const without = (await make("store", { ...testPlace(), credentials: missing })) as BundleStore;
    await expect(without.head("k")).rejects.toMatchObject({ code: "E_CONFIG" });
  });
});
