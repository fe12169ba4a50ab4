/**
 * Many snapshots in a restic repository: one is made by restic, the others are copies of it with times of their own, encrypted with
 * the repository's key as restic does it (AES-256-CTR, then Poly1305-AES: restic's doc/design.rst, "Keys, Encryption and MAC").
 * A thousand runs of restic would take ten minutes.
 */
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runQuietly } from "./programs.mjs";

const PRIME = (1n << 130n) - 5n;
const MASK_128 = (1n << 128n) - 1n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

export function fillRestic({ repository, env, note }, count) {
  const restic = (...args) => runQuietly(["restic", ...args], { env });
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, "Ben prefers tea\n");
  restic("backup", note, "--quiet");
  const [{ id }] = JSON.parse(restic("snapshots", "--json"));
  const snapshot = JSON.parse(restic("cat", "snapshot", id));
  const key = JSON.parse(restic("cat", "masterkey"));
  const first = Date.parse(snapshot.time);
  for (let index = 1; index < count; index++) {
    const copy = { ...snapshot, time: new Date(first - index * 60_000).toISOString() };
    const sealed = seal(Buffer.from(JSON.stringify(copy)), key);
    writeFileSync(join(repository, "snapshots", createHash("sha256").update(sealed).digest("hex")), sealed);
  }
}

function seal(plain, { encrypt, mac }) {
  const nonce = randomBytes(16);
  const cipher = createCipheriv("aes-256-ctr", Buffer.from(encrypt, "base64"), nonce);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  const aes = createCipheriv("aes-128-ecb", Buffer.from(mac.k, "base64"), null).setAutoPadding(false);
  return Buffer.concat([nonce, sealed, poly1305(sealed, Buffer.from(mac.r, "base64"), aes.update(nonce))]);
}

function poly1305(message, r, s) {
  const factor = little(r) & CLAMP;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + little(block) + (1n << BigInt(8 * block.length))) * factor) % PRIME;
  }
  const tag = Buffer.from(((sum + little(s)) & MASK_128).toString(16).padStart(32, "0"), "hex");
  return tag.reverse();
}

function little(bytes) {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}
