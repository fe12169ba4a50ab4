// Encodes and decodes argv[2] MiB that nobody holds at once; prints by how many MiB the resident memory grew at most.
import { zstd } from "../dist/index.js";

const MIB = 1024 * 1024;
const sizeMiB = Number(process.argv[2]);
const codec = zstd({ backend: process.argv[3], concurrency: 2 });
const encoder = zstd({ level: 1, concurrency: 2 });

async function* generated() {
  const block = Buffer.alloc(MIB);
  for (let index = 0; index < MIB; index += 1) block[index] = (index * 7919) >>> (index & 7);
  for (let count = 0; count < sizeMiB; count += 1) {
    block.writeUInt32LE(count, 0);
    yield Buffer.from(block);
  }
}

let size = 0;
const warmUp = codec.decode(encoder.encode([Buffer.alloc(9 * MIB)]), { maxOutputBytes: 10 * MIB });
for await (const chunk of warmUp) size -= chunk.length;
size += 9 * MIB;
const before = process.memoryUsage.rss();
let most = before;
for await (const chunk of codec.decode(encoder.encode(generated()), { maxOutputBytes: Number.POSITIVE_INFINITY })) {
  size += chunk.length;
  most = Math.max(most, process.memoryUsage.rss());
}
console.log(JSON.stringify({ size, grewMiB: Math.round((most - before) / MIB) }));
