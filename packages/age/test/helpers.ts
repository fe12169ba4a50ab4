import { spawnSync } from "node:child_process";
import { isKeepsakeError } from "@keepsake/core";

/** Runs a program on bytes. Throws when it fails. */
export function run(program: string, args: readonly string[], input: Uint8Array): Buffer {
  const done = spawnSync(program, args, { input, maxBuffer: 2 ** 30 });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) throw new Error(`${program} ended with ${String(done.status)}: ${done.stderr.toString()}`);
  return done.stdout;
}

export function hasProgram(program: string): boolean {
  return spawnSync(program, ["--version"]).error === undefined;
}

/** The code an iteration ends with; "ok" when it ends well. Rejects for what is not a KeepsakeError. */
export async function outcome(stream: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    for await (const _chunk of stream);
    return "ok";
  } catch (error) {
    if (isKeepsakeError(error)) return error.code;
    throw error;
  }
}

/** Bytes that do not compress, the same for every run. */
export function sampleNoise(size: number, seed = 1): Buffer {
  const random = numbers(seed);
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index += 1) bytes[index] = random() >>> 8;
  return bytes;
}

/** A linear congruential generator (Numerical Recipes). */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 4;
  };
}
