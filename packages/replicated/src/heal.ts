import { type ByteStream, HashedStream, KeepsakeError, digestOf } from "@keepsake/core";
import type { Group } from "./group.js";
import type { Part } from "./part.js";
import type { Copy } from "./survey.js";

/** Copies of one object that are missing or wrong, and what they are to become. */
export interface HealRequest {
  readonly key: string;
  /** a copy whose bytes have this digest */
  readonly source: Copy;
  readonly sha256: string;
  /** parts without a copy */
  readonly absent: readonly Part[];
  /** parts with a copy that is out of date or damaged */
  readonly wrong: readonly Part[];
}

/**
 * Copies an object to where it is missing or wrong. The bytes are checked on their way and once more where they arrived; a
 * failure is told, and changes nothing for who is reading.
 */
export async function heal(group: Group, request: HealRequest, signal: AbortSignal | undefined): Promise<void> {
  for (const part of request.absent) await healOne(group, request, part, signal);
  for (const part of request.wrong) {
    const gone = await part.ask(signal, (inner) => part.store.delete(request.key, { signal: inner }));
    if ("value" in gone) await healOne(group, request, part, signal);
  }
}

async function healOne(
  group: Group,
  { key, source, sha256 }: HealRequest,
  part: Part,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const { body } = await source.part.store.get(key, { signal });
    await part.store.put(key, checked(body, sha256, key), { signal });
    const arrived = await digestOf((await part.store.get(key, { signal })).body);
    // Somebody may have deleted the object meanwhile, and has seen nothing here: it must not come back.
    const isStillThere = (await source.part.store.head(key, { signal })) !== undefined;
    if (!isStillThere || arrived.sha256 !== sha256) await part.store.delete(key, { signal });
    if (arrived.sha256 !== sha256) throw notAsSent(key, part.name);
    if (!isStillThere) return;
    await group.notes.remove(part, key, signal);
    group.logger.info("A copy was put back.", { store: part.name, key, from: source.part.name });
  } catch (error) {
    signal?.throwIfAborted();
    part.failed(error);
  }
}

/** Ends with an error instead of its end when the bytes are not the right ones: nothing becomes visible of them. */
async function* checked(body: ByteStream, sha256: string, key: string): AsyncGenerator<Uint8Array> {
  const hashed = new HashedStream(body);
  yield* hashed;
  if (hashed.digest.sha256 !== sha256) throw notAsSent(key, "the source");
}

function notAsSent(key: string, where: string): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `The copy of ${JSON.stringify(key)} in ${where} is not what it should be.`, {
    context: { key },
  });
}
