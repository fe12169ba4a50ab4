import type { Lock, LockManager, OpOptions } from "@keepsake/core";

/** What is asked of locks; "assert" is a lock's `assertHeld`, "release" its end. */
export type LockOperation = "acquire" | "assert" | "release" | "holder" | "inspect";

/** One call of a lock manager or of a lock. */
export interface LockCall<T> {
  readonly operation: LockOperation;
  /** of the lock; undefined for `inspect` */
  readonly name: string | undefined;
  /** the caller's; what a lock is asked has none */
  readonly signal: AbortSignal | undefined;
  /** how long `acquire` may wait, in milliseconds; 0 for all others */
  readonly timeoutMs: number;
  /** @param change the signal in place of the caller's, and how much less than `timeoutMs` may be waited */
  readonly run: (change?: { readonly signal?: AbortSignal; readonly lessMs?: number }) => Promise<T>;
  /** lets go of what the call has brought, when nobody takes it any more */
  readonly undo: (result: T) => Promise<void>;
}

/** What stands around every call, and sees every lock that was got. */
export interface LockLayer {
  around<T>(call: LockCall<T>): Promise<T>;
  /** what the caller gets in place of the lock */
  got?(lock: Lock): Lock;
}

const nothing = async (): Promise<void> => undefined;

/** Locks whose every call goes through `layer`. What the manager lacks stays lacking; it is disposed with what is around it. */
export function wrapLocks(locks: LockManager, layer: LockLayer): LockManager {
  const holder = locks.holder?.bind(locks);
  const inspect = locks.inspect?.bind(locks);
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: dispose } = locks as Partial<
    AsyncDisposable & Disposable
  >;
  const wrapped = (lock: Lock): Lock => (layer.got ?? ((same: Lock) => same))(wrapLock(lock, layer));
  const around: LockManager = {
    acquire: async (name, options) =>
      wrapped(
        await layer.around<Lock>({
          operation: "acquire",
          name,
          signal: options.signal,
          timeoutMs: options.timeoutMs,
          run: ({ signal = options.signal, lessMs = 0 } = {}) =>
            locks.acquire(name, { ...options, signal, timeoutMs: Math.max(0, options.timeoutMs - lessMs) }),
          undo: async (lock) => lock[Symbol.asyncDispose](),
        }),
      ),
  };
  const plain = { signal: undefined, timeoutMs: 0, undo: nothing };
  const able = Object.assign(
    around,
    holder && {
      holder: (name: string) => layer.around({ ...plain, operation: "holder", name, run: () => holder(name) }),
    },
    inspect && {
      inspect: (options: OpOptions = {}) =>
        layer.around({
          ...plain,
          operation: "inspect",
          name: undefined,
          signal: options.signal,
          run: ({ signal = options.signal } = {}) => inspect({ ...options, signal }),
        }),
    },
  );
  return Object.assign(
    able,
    asyncDispose && { [Symbol.asyncDispose]: asyncDispose.bind(locks) },
    dispose && { [Symbol.dispose]: dispose.bind(locks) },
  );
}

function wrapLock(lock: Lock, layer: LockLayer): Lock {
  const { name, fencingToken, signal } = lock;
  const plain = { name, signal: undefined, timeoutMs: 0, undo: nothing };
  return {
    name,
    fencingToken,
    signal,
    assertHeld: () => layer.around({ ...plain, operation: "assert", run: () => lock.assertHeld() }),
    [Symbol.asyncDispose]: () =>
      layer.around({ ...plain, operation: "release", run: async () => lock[Symbol.asyncDispose]() }),
  };
}
