import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { opendalStore } from "../src/index.js";
import { fromOpendal } from "../src/opendal-error.js";

const about = { sentence: "It could not be done", key: "k", secrets: [] };

describe("what the library throws", () => {
  // As version 0.49 says it.
  it.each([
    ["NotFound (permanent) at stat, context: { service: fs, path: a } => entity not found", "E_NOT_FOUND", "permanent"],
    ["PermissionDenied (permanent) at write, context: { } => S3Error", "E_PERMISSION", "permanent"],
    ["ConditionNotMatch (permanent) at write => The file already exists", "E_ALREADY_EXISTS", "permanent"],
    ["AlreadyExists (permanent) at write => entity already exists", "E_ALREADY_EXISTS", "permanent"],
    ["Unsupported (permanent) at rename => operation is not supported", "E_UNSUPPORTED", "permanent"],
    ["ConfigInvalid (permanent) at , context: { service: s3 } => The bucket is misconfigured", "E_CONFIG", "permanent"],
    ["RateLimited (permanent) at write => slow down", "E_IO", "temporary"],
    ["Unexpected (temporary) at read => connection reset", "E_IO", "temporary"],
    ["Unexpected (persistent) at read => connection reset", "E_IO", "temporary"],
    ["Unexpected (permanent) at  => reader got too little data", "E_IO", "permanent"],
    ["Panic in async function", "E_IO", "temporary"],
    ["Unexpected (temporary) at write => write zero, source: No space left (os error 28)", "E_NO_SPACE", "temporary"],
    ["Unexpected (permanent) at write => x, source: Read-only file system (os error 30)", "E_READ_ONLY", "permanent"],
    ["Unexpected (temporary) at stat => x, source: Not a directory (os error 20)", "E_NOT_FOUND", "permanent"],
  ])("%s", (said, code, retry) => {
    const error = fromOpendal(new Error(said), about);
    expect(error).toMatchObject({ code, retry, context: { key: "k" }, cause: { message: said } });
    expect(error.message).toMatch(/^It could not be done \(\w+(?:: The bucket is misconfigured)?\)\.$/);
  });

  it.each([
    ["fs", {}, "root is not specified"],
    ["s3", { bucket: "b" }, "region is missing. Please find it by S3::detect_region() or set them in env"],
    ["webdav", {}, "endpoint is empty"],
  ])("of the options of %s is told with its reason", async (scheme, options, reason) => {
    // A region of the machine's own would do.
    const { AWS_REGION: _region, AWS_DEFAULT_REGION: _other, ...env } = process.env;
    const before = process.env;
    process.env = env;
    try {
      await expect(opendalStore({ scheme, options })).rejects.toMatchObject({
        code: "E_CONFIG",
        message: `The service ${scheme} of OpenDAL cannot be used (ConfigInvalid: ${reason}).`,
      });
    } finally {
      process.env = before;
    }
  });

  it("of options is told without the secrets and what the library quotes", () => {
    const said = `ConfigInvalid (permanent) at => endpoint hunter2 of "swordfish" is bad, source: ParseError(swordfish)`;
    const error = fromOpendal(new Error(said), { ...about, secrets: ["hunter2"] });
    expect(error.message).toBe("It could not be done (ConfigInvalid: endpoint *** of *** is bad).");
  });

  it("is kept without secrets, and without the signature of an address", () => {
    const said =
      "Unexpected (permanent) at write, context: { uri: https://x.example/c/k?sig=abc%2F1&se=2, key: hunter2 } => no";
    const shown = inspect(fromOpendal(new Error(said), { ...about, secrets: ["hunter2", ""] }));
    expect(shown).not.toMatch(/hunter2|sig=|abc/);
    expect(shown).toContain("https://x.example/c/k?***");
  });

  it("is kept without the name and the password in an address, and says that nobody was reached", () => {
    const said =
      "Unexpected (temporary) at list, context: { url: https://me:p,a@s@dav.example/x/ } => send http request, " +
      "source: error sending request for url (https://me:p,a@s@dav.example/x/)";
    const error = fromOpendal(new Error(said), about);
    expect(inspect(error)).not.toMatch(/me:|p,a|@s/);
    expect(error.message).toBe("It could not be done (Unexpected: it cannot be reached).");
  });
});
