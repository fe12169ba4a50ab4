import { type ByteStream, collectBytes, isKeepsakeError, KeepsakeError } from "@keepsake/core";
import type { Writer } from "opendal";
import { partsOf } from "./parts.js";
import type { Service } from "./service.js";

/** How a body is written. */
export interface WriteHow {
  readonly key: string;
  /** the condition that there is nothing of the name */
  readonly isExclusive: boolean;
  readonly partBytes: number;
  /** the largest body for a service that takes it in one piece only */
  readonly singleBytes: number;
  /** An unfinished write is to be closed: it is to a file of our own, which is removed. Else closing would publish it. */
  readonly closesUnfinished: boolean;
}

/** Writes a body under a name, in one call when it is small. A failure of the body passes as it is. */
export async function writeBody(service: Service, name: string, body: ByteStream, how: WriteHow): Promise<void> {
  const condition = how.isExclusive ? { ifNotExists: true } : {};
  const about = { sentence: `The object ${JSON.stringify(how.key)} could not be written`, key: how.key };
  const inOne = (bytes: Buffer): Promise<unknown> =>
    service.call({ ...about, sizeBytes: bytes.length, isOnce: how.isExclusive }, (operator) =>
      operator.write(name, bytes, condition),
    );
  if (!service.capability.writeCanMulti) {
    await inOne(await wholeOf(body, service, how));
    return;
  }
  let writer: Writer | undefined;
  let held: Buffer = Buffer.alloc(0);
  try {
    // One part behind: whether a body is small is known when it has ended.
    for await (const part of partsOf(body, how.partBytes)) {
      if (held.length > 0) {
        writer ??= await service.call(about, (operator) => operator.writer(name, condition));
        await send(writer, held);
      }
      held = part;
    }
    if (writer === undefined) {
      await inOne(held);
      return;
    }
    await send(writer, held);
    const last = writer;
    await service.call({ ...about, sizeBytes: how.partBytes }, () => last.close());
  } catch (error) {
    if (how.closesUnfinished) await writer?.close().catch(() => undefined);
    throw error;
  }

  function send(to: Writer, part: Buffer): Promise<void> {
    return service.call({ ...about, sizeBytes: part.length }, () => to.write(part));
  }
}

async function wholeOf(body: ByteStream, { scheme }: Service, { key, singleBytes }: WriteHow): Promise<Buffer> {
  try {
    const bytes = await collectBytes(body, singleBytes);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    if (!isKeepsakeError(error, "E_LIMIT") || error.context["max_bytes"] !== singleBytes) throw error;
    throw new KeepsakeError(
      "E_LIMIT",
      `The service ${scheme} takes an object in one piece only, and ${JSON.stringify(key)} is larger than may be held in memory.`,
      { cause: error, context: { key, max_bytes: singleBytes }, hint: "Allow more with single_bytes." },
    );
  }
}
