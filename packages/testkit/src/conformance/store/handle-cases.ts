import { readdir } from "node:fs/promises";
import { chunked } from "../../streams.js";
import { noise } from "../bodies.js";
import { check, nameOf } from "../expectations.js";
import { NotJudged } from "../not-judged.js";
import type { PortCase } from "../port-case.js";
import type { StoreSubject } from "./store-subject.js";

const KEY = "a/k";
const MIB = 1024 * 1024;
const ROUNDS = 48;
/** Connections that a client keeps for the next request, and what a runner opens beside the case. */
const KEPT_OPEN = 16;
/** Closing may end a moment after the reader has gone. */
const TRIES = 200;

/** The ways in which a body is not read to its end. */
const READERS: readonly (readonly [string, (subject: StoreSubject) => Promise<unknown>])[] = [
  ["never read", ({ store }) => store.get(KEY)],
  [
    "left after the first chunk",
    async ({ store }) => {
      for await (const _chunk of (await store.get(KEY)).body) break;
    },
  ],
  [
    "stopped by a signal",
    async ({ store }) => {
      const controller = new AbortController();
      const { body } = await store.get(KEY, { signal: controller.signal });
      try {
        for await (const _chunk of body) controller.abort();
      } catch (error) {
        check(
          error === controller.signal.reason,
          `A body failed with ${nameOf(error)} instead of the signal's reason.`,
        );
      }
    },
  ],
];

export const HANDLE_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.get.handles",
    says: "Bodies that are never read, or not to their end, leave no file and no connection open.",
    async run(subject) {
      await subject.store.put(KEY, chunked(noise(2 * MIB), MIB));
      for (const [how, read] of READERS) {
        // What is opened once and kept, or is of the first use alone, does not count.
        await read(subject);
        const before = await openHandles();
        for (let round = 0; round < ROUNDS; round++) await read(subject);
        const left = (await leastOpen(before + KEPT_OPEN)) - before;
        check(
          left <= KEPT_OPEN,
          `${String(left)} more files or connections are open after ${ROUNDS} bodies were ${how}.`,
        );
      }
    },
  },
];

async function leastOpen(enough: number): Promise<number> {
  let open = await openHandles();
  for (let attempt = 0; open > enough && attempt < TRIES; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    open = await openHandles();
  }
  return open;
}

/** How many files, sockets and pipes this process has open. */
async function openHandles(): Promise<number> {
  try {
    return (await readdir("/proc/self/fd")).length;
  } catch (error) {
    throw new NotJudged(`Open files and connections are counted in /proc/self/fd: ${nameOf(error)}.`);
  }
}
