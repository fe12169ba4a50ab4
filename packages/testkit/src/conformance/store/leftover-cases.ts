import { chunked } from "../../streams.js";
import { bodyThat, noise, silence } from "../bodies.js";
import { check, failureOf } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import { entriesBelow } from "./entries-below.js";
import type { StoreSubject } from "./store-subject.js";

/** More than one part of a multipart upload. */
const START = [noise(9 * 1024 * 1024), noise(1_000, 2)];
/** A server may take a moment until it has forgotten an upload. */
const TRIES = 100;

/** The ways in which a `put` comes to nothing. */
const FAILURES: readonly (readonly [string, (subject: StoreSubject) => Promise<unknown>])[] = [
  [
    "whose body failed",
    ({ store }) =>
      store.put(
        "a/failed",
        bodyThat(START, () => Promise.reject(new Error("no such source"))),
      ),
  ],
  [
    "that was stopped between two chunks",
    ({ store }) => {
      const controller = new AbortController();
      const body = bodyThat(START, () => controller.abort(), START);
      return store.put("a/stopped", body, { signal: controller.signal });
    },
  ],
  [
    "that was stopped while its body was silent",
    ({ store }) => {
      const controller = new AbortController();
      const body = bodyThat(START, () => {
        setImmediate(() => controller.abort());
        return silence();
      });
      return store.put("a/silent", body, { signal: controller.signal });
    },
  ],
  ["under a key that exists", ({ store }) => store.put("a/k", chunked(noise(100_000)))],
];

export const LEFTOVER_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.put.leftovers",
    says: "A `put` that fails, is stopped or is refused leaves nothing at the place of the store, also nothing that the store does not show.",
    needs: {
      capability: "place",
      async inverse({ place, crash }) {
        check(place === undefined && crash === undefined, "A subject that shows its place has `place` or `crash`.");
      },
    },
    async run(subject) {
      await subject.store.put("a/k", chunked("there"));
      for (const [which, put] of FAILURES) {
        const before = new Set(await placeOf(subject));
        await failureOf(put(subject), `A put ${which}.`);
        const left = await leftBeside(subject, before);
        check(left.length === 0, `A put ${which} has left ${left.join(", ")}.`);
      }
    },
  },
];

async function leftBeside(subject: StoreSubject, before: ReadonlySet<string>): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    const left = (await placeOf(subject)).filter((name) => !before.has(name));
    if (left.length === 0 || attempt === TRIES) return left;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function placeOf({ place, crash }: StoreSubject): Promise<readonly string[]> {
  const given = place ?? crash?.within;
  check(given !== undefined, "The subject has `place`.");
  // Folders are no leftovers: a store may make one for a key and keep it.
  return typeof given === "string" ? entriesBelow(given, "files") : given();
}
