import { chunked } from "../../streams.js";
import { bodyThat, noise, silence, WatchedBody } from "../bodies.js";
import { failsAs, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { StoreSubject } from "./store-subject.js";
import { expectInvisible, textOf } from "./store-tools.js";

const KEY = "a/k";
/** More than one part of a multipart upload. */
const START = [noise(9 * 1024 * 1024), noise(1_000, 2)];

/** After a failure nothing is to be seen, and the key is as free as it was. */
async function expectNothing({ store }: StoreSubject, when: string): Promise<void> {
  await expectInvisible(store, KEY, when);
  await store.put(KEY, chunked("free"));
  same(await textOf(store, KEY), "free", `The key is not free ${when}.`);
}

export const FAILED_PUT_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.put.body-error",
    says: "A body that fails in the middle leaves nothing, and its very error is what `put` fails with.",
    async run(subject) {
      const failure = Object.assign(new Error("no such source"), { code: "ENOENT", syscall: "open" });
      const fail = (): never => {
        throw failure;
      };
      await failsAs(failure, subject.store.put(KEY, bodyThat(START, fail)), "A body failed.");
      await expectNothing(subject, "after its body failed");
    },
  },
  {
    id: "store.put.abort-before",
    says: "With a signal that has fired, `put` fails with its reason, reads nothing and leaves nothing.",
    async run(subject) {
      const reason = new DOMException("stop", "AbortError");
      const body = new WatchedBody(START);
      const put = subject.store.put(KEY, body, { signal: AbortSignal.abort(reason) });
      await failsAs(reason, put, "The signal had fired.");
      same(body.isOpened, false, "The body was read although the signal had fired.");
      await expectNothing(subject, "after an abort");
    },
  },
  {
    id: "store.put.abort-middle",
    says: "A signal that fires between two chunks stops `put` with its reason; nothing is left.",
    async run(subject) {
      const reason = new DOMException("stop", "AbortError");
      const controller = new AbortController();
      const body = bodyThat(START, () => controller.abort(reason), START);
      await failsAs(reason, subject.store.put(KEY, body, { signal: controller.signal }), "The signal fired.");
      await expectNothing(subject, "after an abort between two chunks");
    },
  },
  {
    id: "store.put.abort-silent",
    says: "A signal that fires while the body is silent stops `put` with its reason; nothing is left.",
    async run(subject) {
      const controller = new AbortController();
      const body = bodyThat(START, () => {
        setImmediate(() => controller.abort());
        return silence();
      });
      const put = subject.store.put(KEY, body, { signal: controller.signal });
      const outcome = await put.then(
        () => "resolved",
        (error: unknown) => error,
      );
      same(outcome === controller.signal.reason, true, "It did not fail with the signal's reason.");
      await expectNothing(subject, "after an abort during silence");
    },
  },
  {
    id: "store.put.closes-body",
    says: "A body is closed when `put` stops in the middle of it.",
    async run({ store }) {
      const controller = new AbortController();
      const body = new WatchedBody(bodyThat(START, () => controller.abort(), START));
      await store.put(KEY, body, { signal: controller.signal }).catch(() => undefined);
      await body.closed();
    },
  },
];
