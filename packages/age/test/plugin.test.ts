import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Codec, LOGGER, type Resolver, SECRETS, type SecretRef, SILENT_LOGGER, type Token } from "@keepsake/core";
import { chunked, collect, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { generateIdentity, identityFileText } from "../src/keygen.js";
import plugin from "../src/plugin.js";

const unlimited = { maxOutputBytes: Number.POSITIVE_INFINITY };
const ana = await generateIdentity();
const [provider] = plugin.providers ?? [];

describe("the plugin", () => {
  it("makes the codec from the configuration's names", async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, "keys.txt"), identityFileText(ana, new Date()), { mode: 0o600 });
    const codec = await make({ recipients: [ana.recipient], identity_files: ["keys.txt"] }, dir.path);
    const encoded = await collect(codec.encode(chunked("secret")));
    expect(Buffer.from(await collect(codec.decode(chunked(encoded), unlimited))).toString()).toBe("secret");
  });

  it("encrypts to the owners of identities", async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, "keys.txt"), identityFileText(ana, new Date()), { mode: 0o600 });
    const encoded = await collect((await make({ owners_of: ["keys.txt"] }, dir.path)).encode(chunked("secret")));
    const reader = await make({ identity_files: ["keys.txt"] }, dir.path);
    expect(Buffer.from(await collect(reader.decode(chunked(encoded), unlimited))).toString()).toBe("secret");
    await expect(make({ owners_of: [] }, dir.path)).rejects.toMatchObject({ code: "E_RECIPIENT" });
  });

  it("reads the passphrase through the reference, when it is needed", async () => {
    const asked: SecretRef[] = [];
    const codec = await make({ passphrase: { file: "secret.txt" } }, "/base", asked);
    expect(asked).toEqual([]);
    const error: unknown = await collect(codec.decode(chunked("no age"), unlimited)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "E_INTEGRITY" });
    expect(asked).toEqual([{ file: "/base/secret.txt" }]);
  });

  it("refuses a malformed identity file and unknown options at once", async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, "keys.txt"), "nonsense", { mode: 0o600 });
    await expect(make({ identity_files: ["keys.txt"] }, dir.path)).rejects.toMatchObject({ code: "E_IDENTITY" });
    await expect(make({ passphrase: "hunter2" }, dir.path)).rejects.toThrow(/options/);
    await expect(make({ recipient: "x" }, dir.path)).rejects.toThrow(/options/);
  });
});

async function make(raw: unknown, baseDir: string, asked: SecretRef[] = []): Promise<Codec> {
  if (provider?.kind !== "codec") throw new Error("The plugin has no codec.");
  const checked = await provider.options?.["~standard"].validate(raw);
  if (checked === undefined || checked.issues !== undefined) throw new Error("The options are refused.");
  const values = new Map<Token<unknown>, unknown>([
    [LOGGER, SILENT_LOGGER],
    [SECRETS, { read: async (reference: SecretRef) => (asked.push(reference), "a passphrase") }],
  ]);
  const resolver: Resolver = { get: <T>(wanted: Token<T>) => values.get(wanted) as T };
  return provider.create(checked.value as never, resolver, { id: undefined, baseDir });
}
