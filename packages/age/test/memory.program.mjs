// Encrypts and decrypts argv[2] MiB that nobody holds at once; prints by how many MiB the resident memory grew at most.
import { age, generateIdentity } from "../dist/index.js";

const MIB = 1024 * 1024;
const sizeMiB = Number(process.argv[2]);
const { identity, recipient } = await generateIdentity();
const codec = age({ recipients: [recipient], identities: [identity] });

async function* generated(count) {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(MIB, index);
}

async function pass(count) {
  let size = 0;
  let most = 0;
  for await (const chunk of codec.decode(codec.encode(generated(count)), { maxOutputBytes: count * MIB })) {
    size += chunk.length;
    most = Math.max(most, process.memoryUsage.rss());
  }
  return { size, most };
}

await pass(4);
const before = process.memoryUsage.rss();
const started = performance.now();
const { size, most } = await pass(sizeMiB);
const seconds = (performance.now() - started) / 1000;
console.log(
  JSON.stringify({ size, grewMiB: Math.round((most - before) / MIB), mibPerSecond: Math.round(sizeMiB / seconds) }),
);
