import { describe, expect, it } from "vitest";
import { SyncWorker } from "../src/worker/sync-worker.js";

const PROGRAM = new URL("./support/late-notifier.worker.mjs", import.meta.url);

describe("a question to a thread", () => {
  it("waits for its answer, although the notification of the one before comes late", () => {
    const worker = new SyncWorker(PROGRAM, "late");
    try {
      for (const question of [1, 2, 3]) expect(worker.ask(question, 10_000)).toEqual({ answer: [question] });
    } finally {
      worker.close();
    }
  });

  it("is given up when its time is over, whatever is notified meanwhile; the next one is answered", () => {
    const worker = new SyncWorker(PROGRAM, "late");
    try {
      expect(worker.ask("never", 200)).toEqual({ busy: 7 });
      expect(worker.ask("after", 10_000)).toEqual({ answer: ["after"] });
    } finally {
      worker.close();
    }
  });
});
