import { pipeline } from "node:stream/promises";
import { crc32, createGzip, createInflateRaw } from "node:zlib";
import { abortable, ByteReader, codecProvider, definePlugin, KeepsakeError } from "@keepsake/core";

const refuse = (code, what) => new KeepsakeError(code, `The gzip stream ${what}.`);

/** Sends chunks through a zlib stream, with back-pressure. Who stops early destroys it, and with it the input. */
async function* through(input, stream) {
  const done = pipeline(input, stream);
  done.catch(() => undefined);
  yield* stream;
  await done;
}

/** One member by RFC 1952. Node's own gunzip takes several, which would hide what follows the end. */
async function* gunzip(input, maxOutputBytes) {
  const inflate = createInflateRaw();
  let [held, fed, sum, size] = [Buffer.alloc(0), 0, 0, 0]; // held: the last 8 bytes so far, which may be the trailer
  const body = (async function* () {
    const reader = new ByteReader(input);
    try {
      const header = Buffer.from(await reader.read(10));
      if (header.length < 10) throw refuse("E_TRUNCATED", "ends in its header");
      if (header.readUInt32BE() !== 0x1f8b0800) throw refuse("E_INTEGRITY", "begins otherwise");
      for (let chunk = await reader.readSome(); chunk !== undefined; chunk = await reader.readSome()) {
        const all = Buffer.concat([held, chunk]);
        const body = all.subarray(0, Math.max(0, all.length - 8));
        held = all.subarray(body.length);
        fed += body.length;
        yield body;
      }
    } finally {
      await reader.close();
    }
  })();
  try {
    for await (const chunk of through(body, inflate)) {
      [sum, size] = [crc32(chunk, sum), size + chunk.length];
      if (size > maxOutputBytes) throw refuse("E_LIMIT", `holds more than ${maxOutputBytes} bytes`);
      yield chunk;
    }
  } catch (error) {
    const isCutShort = inflate.readableEnded && /^(ABORT_ERR|ERR_STREAM_PREMATURE_CLOSE)$/.test(error.code);
    if (isCutShort) throw refuse("E_TRAILING_DATA", "is followed by something else");
    if (error.code === "Z_BUF_ERROR") throw refuse("E_TRUNCATED", "ends too early");
    throw /^Z_/.test(error.code) ? refuse("E_INTEGRITY", "is damaged") : error;
  }
  if (fed > inflate.bytesWritten) throw refuse("E_TRAILING_DATA", "is followed by something else");
  if (held.readUInt32LE(0) !== sum || held.readUInt32LE(4) !== size % 2 ** 32)
    throw refuse("E_INTEGRITY", "is damaged");
}

/** @type {import("@keepsake/core").Codec} */
export const gzip = {
  id: "gzip",
  suffix: ".gz",
  encode: (input, { signal } = {}) => through(abortable(input, signal), createGzip()),
  decode: (input, { maxOutputBytes, signal }) => gunzip(abortable(input, signal), maxOutputBytes),
};
export default definePlugin({ name: "gzip-codec", api: 1, providers: [codecProvider("gzip", { create: () => gzip })] });
