import { workerData } from "node:worker_threads";
import type { SyncWorkerData } from "./sync-worker.js";

/** In the worker: answers every question, one after the other. `tellBusy` says what it is at, for when its time is over. */
export function serve(answer: (question: unknown, data: unknown, tellBusy: (what: number) => void) => unknown): void {
  // The thread is started by SyncWorker alone, which gives it this.
  const { port, state, data } = workerData as SyncWorkerData;
  const tellBusy = (what: number) => Atomics.store(state, 1, what);
  port.on("message", (question: unknown) => {
    void Promise.resolve()
      .then(() => answer(question, data, tellBusy))
      .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }))
      .then((result) => {
        port.postMessage(result);
        Atomics.add(state, 0, 1);
        Atomics.notify(state, 0);
      });
  });
  Atomics.store(state, 2, 1);
  Atomics.notify(state, 2);
}
