import type { BundleStore } from "@keepsake/core";
import { chunked } from "@keepsake/testkit";
import { expect, it } from "vitest";
import { FaultServer } from "./support/fault-server.js";
import { keysOf } from "./support/keys-of.js";
import { faultBench, onServer, testPlace, testStore } from "./support/test-server.js";

onServer("a failure", () => {
  const call = async (store: BundleStore) => {
    await store.head("k");
  };

  it("says that nobody answers", async () => {
    await using faults = await FaultServer.before(testPlace().endpoint);
    const { endpoint } = faults;
    await faults[Symbol.asyncDispose]().catch(() => undefined);
    await using store = testStore({ endpoint, attempts: 2 });
    await expect(call(store)).rejects.toMatchObject({
      code: "E_IO",
      retry: "temporary",
      context: { s3_error: "ECONNREFUSED" },
    });
  });

  it("says that there is no bucket, whatever was asked", async () => {
    await using store = testStore({ bucket: "keepsake-nobody-made-this" });
    const wanted = { code: "E_CONFIG", context: { bucket: "keepsake-nobody-made-this" } };
    await expect(store.head("k")).rejects.toMatchObject(wanted);
    await expect(store.get("k")).rejects.toMatchObject(wanted);
    await expect(store.put("k", chunked("x"))).rejects.toMatchObject(wanted);
    await expect(store.delete("k")).rejects.toMatchObject(wanted);
    await expect(keysOf(store)).rejects.toMatchObject(wanted);
    await expect(store.inspect?.()).rejects.toMatchObject(wanted);
    await expect(store.sweep?.({ olderThanMs: 0 })).rejects.toMatchObject(wanted);
  });

  it.each([
    ["an unknown key", "nobody", "does-not-matter"],
    ["a wrong secret", process.env["AWS_ACCESS_KEY_ID"] ?? "", "hunter2-not-the-secret"],
  ])("says that %s is not accepted, and repeats no secret", async (_what, accessKeyId, secretAccessKey) => {
    await using store = testStore({ credentials: async () => ({ accessKeyId, secretAccessKey }) });
    for (const attempt of [() => call(store), () => keysOf(store), () => store.put("k", chunked("x"))]) {
      const error = await attempt().then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      expect(error).toMatchObject({ code: "E_PERMISSION", retry: "permanent" });
      expect(JSON.stringify([error, error?.cause, String(error?.stack), String(error?.cause)])).not.toContain(
        "hunter2",
      );
    }
  });

  it("says that credentials cannot be read, with their own error", async () => {
    const failure = new Error("no vault");
    await using store = testStore({ credentials: () => Promise.reject(failure) });
    await expect(call(store)).rejects.toBe(failure);
  });

  it("says that the server is busy, and that it may not be later", async () => {
    await using box = await faultBench();
    await using store = testStore({ ...box.place, attempts: 2 });
    box.faults.fault = () => ({ status: 503, code: "SlowDown" });
    await expect(keysOf(store)).rejects.toMatchObject({
      code: "E_IO",
      retry: "temporary",
      context: { status: 503, s3_error: "SlowDown", attempts: 2 },
    });
  });

  it.each([
    [403, "QuotaExceeded", "E_NO_SPACE"],
    [403, "ExpiredToken", "E_PERMISSION"],
    [301, "PermanentRedirect", "E_CONFIG"],
    [403, "InvalidObjectState", "E_UNSUPPORTED"],
    [501, "NotImplemented", "E_UNSUPPORTED"],
    [400, "EntityTooLarge", "E_LIMIT"],
    [400, "SomethingNew", "E_IO"],
    [403, "SignatureDoesNotMatch", "E_PERMISSION"],
  ])("of status %i and code %s is %s, and repeats no word of the server", async (status, code, wanted) => {
    await using box = await faultBench();
    await using store = testStore({ ...box.place, attempts: 1 });
    box.faults.fault = () => ({ status, code });
    const error = await keysOf(store).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error).toMatchObject({ code: wanted });
    expect(JSON.stringify([error, error?.message, error?.cause, String(error?.cause)])).not.toContain("hunter2");
  });
});
