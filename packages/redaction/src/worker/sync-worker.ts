import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";

/** What a worker of this kind is started with. */
export interface SyncWorkerData {
  readonly port: MessagePort;
  /** [0]: answers given; [1]: what it is busy with, as the worker counts; [2]: 1 when it has begun */
  readonly state: Int32Array;
  readonly data: unknown;
}

/** How long a thread may take to start; it loads modules first, on a machine that may be busy. */
const START_MS = 30_000;

/**
 * Asks a worker thread and waits for its answer, so that a port without promises is served by code that may hang or is itself
 * asynchronous. This thread does nothing else meanwhile, for at most the time that was given.
 */
export class SyncWorker {
  readonly #url: URL;
  readonly #data: unknown;
  #worker: Worker | undefined;
  #port: MessagePort | undefined;
  #state = new Int32Array(new SharedArrayBuffer(12));

  constructor(url: URL, data: unknown) {
    this.#url = url;
    this.#data = data;
  }

  /**
   * @returns the answer; `busy` = what the worker was busy with when its time was over, -1 when it did not even start. The
   * worker is then gone, and the next question starts another.
   */
  ask(question: unknown, timeoutMs: number): { readonly answer: unknown } | { readonly busy: number } {
    const port = this.#port ?? this.#start();
    const answered = Atomics.load(this.#state, 0);
    port.postMessage(question);
    const isStarted = isOtherThan(this.#state, 2, 0, START_MS);
    if (!isStarted || !isOtherThan(this.#state, 0, answered, timeoutMs)) {
      const busy = isStarted ? Atomics.load(this.#state, 1) : -1;
      this.close();
      return { busy };
    }
    const received: { readonly message: unknown } | undefined = receiveMessageOnPort(port);
    return { answer: received?.message };
  }

  close(): void {
    void this.#worker?.terminate();
    this.#port?.close();
    this.#worker = undefined;
    this.#port = undefined;
  }

  #start(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#state = new Int32Array(new SharedArrayBuffer(12));
    const workerData: SyncWorkerData = { port: port2, state: this.#state, data: this.#data };
    this.#worker = new Worker(this.#url, { workerData, transferList: [port2] });
    // A program may end while the worker waits for a question.
    this.#worker.unref();
    port1.unref();
    this.#port = port1;
    return port1;
  }
}

/**
 * Waits until a value is another one. Only the value counts: an answer may be seen and the next question asked before the worker has
 * notified of it, which then wakes who waits for the next answer.
 *
 * @returns false when the time was over
 */
function isOtherThan(state: Int32Array, index: number, value: number, timeoutMs: number): boolean {
  const end = performance.now() + timeoutMs;
  while (Atomics.load(state, index) === value) {
    const left = end - performance.now();
    if (left <= 0) return false;
    Atomics.wait(state, index, value, left);
  }
  return true;
}
