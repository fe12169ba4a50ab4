import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { isKeepsakeError } from "@keepsake/core";
import { chunked } from "@keepsake/testkit";
import * as module from "cctv-age";
import { describe, expect, it } from "vitest";
import { age } from "../src/age.js";
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
