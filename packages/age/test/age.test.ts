import { chunked, collect } from "@keepsake/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { age } from "../src/age.js";
import { generateIdentity } from "../src/keygen.js";
import { recipientFingerprint } from "../src/recipients.js";
import { outcome, sampleNoise } from "./helpers.js";

const KIB = 1024;
const unlimited = { maxOutputBytes: Number.POSITIVE_INFINITY };
const ana = await generateIdentity();
const ben = await generateIdentity();
const eve = await generateIdentity();
const future = await generateIdentity({ postQuantum: true });
const codec = age({ recipients: [ana.recipient], identities: [ana.identity] });

describe("round trip", () => {
  for (const size of [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB, 300_000]) {
    it(`gives back ${size} bytes`, async () => {
      const content = sampleNoise(size);
      const encoded = await collect(codec.encode(chunked(content, 10_000)));
      expect(Buffer.compare(await collect(codec.decode(chunked(encoded), unlimited)), content)).toBe(0);
      expect(Buffer.compare(await collect(codec.decode(chunked(encoded, 777), unlimited)), content)).toBe(0);
    });
  }

  it("gives back any bytes, cut into any chunks", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(200_000), fc.integer({ min: 1, max: 90_000 }), fc.nat(), async (size, cut, seed) => {
        const content = sampleNoise(size, seed);
        const encoded = await collect(codec.encode(chunked(content, Math.max(cut, size / 500))));
        const decoded = await collect(codec.decode(chunked(encoded, Math.max(cut % 5000, 100)), unlimited));
        expect(Buffer.compare(decoded, content)).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  it("reads and writes one byte at a time", async () => {
    const content = sampleNoise(70_000);
    const encoded = await collect(codec.encode(chunked(content, 1)));
    expect(Buffer.compare(await collect(codec.decode(chunked(encoded, 1), unlimited)), content)).toBe(0);
  });

  it("hides the content, differently each time, and keeps what it gave out", async () => {
    const content = Buffer.from("a very recognisable sentence ".repeat(5000));
    const given: { chunk: Uint8Array; copy: Buffer }[] = [];
    for (let round = 0; round < 2; round += 1) {
      for await (const chunk of codec.encode(chunked(content))) given.push({ chunk, copy: Buffer.from(chunk) });
    }
    const all = Buffer.concat(given.map(({ copy }) => copy));
    expect(all.includes("recognisable")).toBe(false);
    expect(all.subarray(0, all.length / 2).equals(all.subarray(all.length / 2))).toBe(false);
    for await (const chunk of codec.decode(chunked(all.subarray(0, all.length / 2)), unlimited)) {
      given.push({ chunk, copy: Buffer.from(chunk) });
    }
    for (const { chunk, copy } of given) expect(copy.equals(chunk)).toBe(true);
  });

  it("is opened by each of several recipients and by nobody else", async () => {
    const encoded = await collect(age({ recipients: [ana.recipient, ben.recipient] }).encode(chunked("secret")));
    for (const { identity } of [ana, ben]) {
      const plain = await collect(age({ identities: [eve.identity, identity] }).decode(chunked(encoded), unlimited));
      expect(Buffer.from(plain).toString()).toBe("secret");
    }
    for (const { identity } of [eve, future]) {
      expect(await outcome(age({ identities: [identity] }).decode(chunked(encoded), unlimited))).toBe("E_DECRYPT");
    }
  });

  it("takes post-quantum recipients", async () => {
    expect(future.recipient).toMatch(/^age1pq1/);
    const encoded = await collect(age({ recipients: [future.recipient] }).encode(chunked("secret")));
    const plain = await collect(age({ identities: [future.identity] }).decode(chunked(encoded), unlimited));
    expect(Buffer.from(plain).toString()).toBe("secret");
    expect(await outcome(age({ identities: [ana.identity] }).decode(chunked(encoded), unlimited))).toBe("E_DECRYPT");
  });

  it("takes a passphrase", async () => {
    const withPassphrase = (passphrase: string): ReturnType<typeof age> =>
      age({ passphrase: async () => passphrase, scryptWorkFactor: 8 });
    const encoded = await collect(withPassphrase("correct horse").encode(chunked("secret")));
    expect(Buffer.from(encoded).toString("latin1")).toContain("-> scrypt ");
    const plain = await collect(withPassphrase("correct horse").decode(chunked(encoded), unlimited));
    expect(Buffer.from(plain).toString()).toBe("secret");
    expect(await outcome(withPassphrase("wrong").decode(chunked(encoded), unlimited))).toBe("E_DECRYPT");
    expect(await outcome(age({ identities: [ana.identity] }).decode(chunked(encoded), unlimited))).toBe("E_DECRYPT");
    expect(await outcome(withPassphrase("").encode(chunked("secret")))).toBe("E_RECIPIENT");
  });
});

describe("damage", () => {
  it("is noticed at every byte, whichever way it is changed", async () => {
    const content = sampleNoise(300);
    const encoded = Buffer.from(await collect(codec.encode(chunked(content))));
    for (const mask of [0x01, 0x80, 0xff]) {
      for (let index = 0; index < encoded.length; index += 1) {
        const damaged = Buffer.from(encoded);
        damaged[index] = (damaged[index] ?? 0) ^ mask;
        const code = await outcome(codec.decode(chunked(damaged), unlimited));
        // A changed stanza is one that is not for us; the header's last line may no longer be found.
        expect(code).toMatch(/^E_(INTEGRITY|DECRYPT|TRUNCATED|UNSUPPORTED)$/);
        if (index > encoded.indexOf("\n---") + 5) expect([index, code]).toEqual([index, "E_INTEGRITY"]);
      }
    }
  });

  it("is noticed at every cut, and called a cut where that is certain", async () => {
    const encoded = Buffer.from(await collect(codec.encode(chunked(sampleNoise(64 * KIB + 300)))));
    const payload = encoded.indexOf("\n---") + 49 + 16;
    const lastChunk = payload + 64 * KIB + 16;
    const lengths = [...range(0, payload + 40), ...range(lastChunk - 40, encoded.length)];
    const codes = new Map<string, number>();
    for (const length of lengths) {
      const code = await outcome(codec.decode(chunked(encoded.subarray(0, length)), unlimited));
      codes.set(code, (codes.get(code) ?? 0) + 1);
      const isCertain = length < payload + 16 || (length >= lastChunk && length < lastChunk + 16);
      expect([length, code]).toEqual([length, isCertain ? "E_TRUNCATED" : "E_INTEGRITY"]);
    }
    expect([...codes.keys()].sort()).toEqual(["E_INTEGRITY", "E_TRUNCATED"]);
  });

  it("is called trailing data when something follows a full last part, and noticed always", async () => {
    const full = await collect(codec.encode(chunked(sampleNoise(128 * KIB))));
    const short = await collect(codec.encode(chunked(sampleNoise(100))));
    for (const tail of ["x", "x".repeat(100), "x".repeat(70_000)]) {
      const after = (bytes: Uint8Array): Promise<string> =>
        outcome(codec.decode(chunked(Buffer.concat([bytes, Buffer.from(tail)])), unlimited));
      expect(await after(full)).toBe("E_TRAILING_DATA");
      expect(await after(short)).toBe("E_INTEGRITY");
    }
    expect(await outcome(codec.decode(chunked("no age file at all, but long enough"), unlimited))).toBe("E_INTEGRITY");
    expect(await outcome(codec.decode(chunked("age-encryption.org/v2\n"), unlimited))).toBe("E_UNSUPPORTED");
    const endless = (async function* () {
      yield Buffer.from("age-encryption.org/v1\n");
      for (;;) yield Buffer.from("-> X25519 a\n".repeat(1000));
    })();
    expect(await outcome(codec.decode(endless, unlimited))).toBe("E_LIMIT");
  });

  it("swapped parts are noticed", async () => {
    const encoded = Buffer.from(await collect(codec.encode(chunked(sampleNoise(200 * KIB)))));
    const payload = encoded.indexOf("\n---") + 49 + 16;
    const part = 64 * KIB + 16;
    const swapped = Buffer.from(encoded);
    encoded.copy(swapped, payload, payload + part, payload + 2 * part);
    encoded.copy(swapped, payload + part, payload, payload + part);
    expect(await outcome(codec.decode(chunked(swapped), unlimited))).toBe("E_INTEGRITY");
  });
});

describe("as a stream", () => {
  const content = sampleNoise(1000 * KIB);
  const directions: [string, (input: AsyncIterable<Uint8Array>, signal?: AbortSignal) => AsyncIterable<Uint8Array>][] =
    [
      ["encode", (input, signal) => codec.encode(input, { signal })],
      ["decode", (input, signal) => codec.decode(input, { ...unlimited, signal })],
    ];

  for (const [name, make] of directions) {
    const bytes = async (): Promise<Uint8Array> =>
      name === "encode" ? content : await collect(codec.encode(chunked(content)));

    it(`closes its input when the consumer stops early, and reads little ahead (${name})`, async () => {
      const all = await bytes();
      let closed = false;
      let read = 0;
      const input = (async function* () {
        try {
          for await (const chunk of chunked(all, 64 * KIB)) {
            read += chunk.length;
            yield chunk;
          }
        } finally {
          closed = true;
        }
      })();
      for await (const chunk of make(input)) if (chunk.length > 1000) break;
      expect(closed).toBe(true);
      expect(read).toBeLessThanOrEqual(6 * 64 * KIB);
    });

    it(`gives out together what is at hand (${name})`, async () => {
      const pieces: number[] = [];
      for await (const piece of make(chunked(await bytes(), 1000 * KIB))) pieces.push(piece.length);
      // The header, the nonce, what is at hand, and its end.
      expect(pieces.length).toBeLessThanOrEqual(4);
      expect(Math.max(...pieces)).toBeGreaterThan(900 * KIB);
    });

    it(`lets a consumer go who stops while the input is silent (${name})`, async () => {
      const all = await bytes();
      const silent = (async function* () {
        yield all.subarray(0, 200 * KIB);
        await new Promise(() => undefined);
      })();
      for await (const chunk of make(silent)) if (chunk.length > 1000) break;
    });
  }
});

describe("what the manifest says", () => {
  it("is the end of each recipient", () => {
    expect(age({ recipients: [ana.recipient, ben.recipient, ana.recipient] }).describe?.()).toEqual({
      scheme: "age",
      recipientsFingerprint: [ana.recipient.slice(-8), ben.recipient.slice(-8)],
    });
    expect(recipientFingerprint(ana.recipient)).toHaveLength(8);
    expect(age({ passphrase: () => "x" }).describe?.()).toEqual({ scheme: "age", recipientsFingerprint: ["scrypt"] });
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
