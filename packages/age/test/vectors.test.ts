import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { ByteReader, isKeepsakeError } from "@keepsake/core";
import { chunked, collect } from "@keepsake/testkit";
import { Decrypter } from "age-encryption";
import * as module from "cctv-age";
import { describe, expect, it } from "vitest";
import { age } from "../src/age.js";
import { removeArmor } from "../src/armor.js";
import { readHeader } from "../src/header.js";
import { decryptPayload, encryptPayload, NONCE_BYTES } from "../src/payload.js";
import { generateIdentity } from "../src/keygen.js";

// Its types tell of one exported object; it exports each vector under its name.
const vectors: Readonly<Record<string, Uint8Array>> = { ...module };

interface Vector {
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly file: Buffer;
}

/** The codes that say what the vector says. */
const CODES: Readonly<Record<string, RegExp>> = {
  success: /^ok$/,
  "no match": /^E_DECRYPT$/,
  "HMAC failure": /^E_INTEGRITY$/,
  "header failure": /^E_(INTEGRITY|TRUNCATED|UNSUPPORTED|LIMIT)$/,
  "armor failure": /^E_(INTEGRITY|TRUNCATED|TRAILING_DATA)$/,
  "payload failure": /^E_(INTEGRITY|TRUNCATED|TRAILING_DATA)$/,
};

describe("CCTV test vectors", () => {
  const names = Object.keys(vectors);

  it("are all there", () => {
    expect(names.length).toBeGreaterThanOrEqual(143);
  });

  for (const name of names) {
    it(name, async () => {
      const { fields, file } = parse(vectors[name] ?? new Uint8Array());
      const expected = fields.get("expect")?.[0] ?? "";
      const stranger = (await generateIdentity()).identity;
      // One that asks for two passphrases must fail with either.
      const passphrases = fields.get("passphrase") ?? [];
      const identities = fields.get("identity") ?? (passphrases.length > 0 ? [] : [stranger]);
      for (const passphrase of passphrases.length > 0 ? passphrases : [undefined]) {
        const codec = age({ identities, passphrase: passphrase === undefined ? undefined : () => passphrase });
        for (const size of [Number.POSITIVE_INFINITY, 1]) {
          if (size === 1 && file.length > 10_000) continue;
          const chunks: Uint8Array[] = [];
          let code = "ok";
          try {
            const plain = codec.decode(chunked(file, size), { maxOutputBytes: Number.POSITIVE_INFINITY });
            for await (const chunk of plain) chunks.push(chunk);
          } catch (error) {
            if (!isKeepsakeError(error)) throw error;
            code = error.code;
          }
          expect(code).toMatch(CODES[expected] ?? /^unknown expectation$/);
          const digest = createHash("sha256").update(Buffer.concat(chunks)).digest("hex");
          const payload = fields.get("payload")?.[0];
          if (payload === undefined) expect(chunks).toEqual([]);
          else expect(digest).toBe(payload);
        }
      }
    });
  }
});

describe("the payload of every vector that can be decrypted", () => {
  it("is what encrypting its content again gives", async () => {
    let compared = 0;
    for (const bytes of Object.values(vectors)) {
      const { fields, file: stored } = parse(bytes);
      if (fields.get("expect")?.[0] !== "success") continue;
      const file = fields.has("armored") ? await collect(removeArmor(new ByteReader(chunked(stored)))) : stored;
      const reader = new ByteReader(chunked(file));
      const decrypter = new Decrypter();
      for (const identity of fields.get("identity") ?? []) decrypter.addIdentity(identity);
      for (const passphrase of fields.get("passphrase") ?? []) decrypter.addPassphrase(passphrase);
      const fileKey = await decrypter.decryptHeader(await readHeader(reader));
      const payload = await collect(rest(reader));
      const content = await collect(decryptPayload(new ByteReader(chunked(payload)), fileKey));
      for (const size of [1_000, Number.POSITIVE_INFINITY]) {
        const plain = new ByteReader(chunked(content, size));
        const again = await collect(encryptPayload(plain, fileKey, payload.subarray(0, NONCE_BYTES)));
        expect(Buffer.from(again).equals(payload)).toBe(true);
      }
      compared += 1;
    }
    expect(compared).toBeGreaterThan(25);
  });
});

async function* rest(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (let some = await reader.readSome(); some !== undefined; some = await reader.readSome()) yield some;
}

function parse(bytes: Uint8Array): Vector {
  const all = Buffer.from(bytes);
  const end = all.indexOf("\n\n");
  const fields = new Map<string, string[]>();
  for (const line of all.subarray(0, end).toString("utf8").split("\n")) {
    const colon = line.indexOf(": ");
    const key = line.slice(0, colon);
    fields.set(key, [...(fields.get(key) ?? []), line.slice(colon + 2)]);
  }
  const file = all.subarray(end + 2);
  return { fields, file: fields.get("compressed")?.[0] === "zlib" ? inflateSync(file) : file };
}
