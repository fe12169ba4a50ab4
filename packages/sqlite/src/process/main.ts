import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Database } from "./better-sqlite.js";
import { CaptureHost } from "./capture/capture-host.js";
import { discover } from "./discovery.js";
import type { CallName, Calls, FromHelper, ToHelper } from "./protocol.js";
import type { RedactionHost } from "./redact/redaction-host.js";
import { toWireError } from "./wire-error.js";

type Handlers = { [N in CallName]: (argument: Calls[N][0], signal: AbortSignal) => Calls[N][1] | Promise<Calls[N][1]> };

const running = new Map<number, { readonly abort: AbortController; readonly ended: Promise<void> }>();
let capture: CaptureHost | undefined;
let redaction: RedactionHost | undefined;
const statements = new Map<number, string>();

function redacted(): RedactionHost {
  if (redaction === undefined) throw new TypeError("No redaction is open.");
  return redaction;
}

function opened(): CaptureHost {
  if (capture === undefined) throw new TypeError("No capture is open.");
  return capture;
}

/** What a capture does not need is loaded when it is asked for: a snapshot waits until this process has started. */
const handlers: Handlers = {
  versions: () => versions(),
  open: async (request, signal) => {
    capture = await CaptureHost.open(request, signal);
    return capture.discovery;
  },
  hold: ({ timeoutMs }, signal) => opened().hold(timeoutMs, signal),
  release: () => opened().release(),
  pin: (_none, signal) => opened().pin(signal),
  unpin: () => opened().unpin(),
  fence: (_none, signal) => opened().fence(signal),
  copy: ({ index }, signal) => opened().copy(index, signal),
  discover: (selection, signal) => discover(selection, signal),
  stage: async (request, signal) => (await import("./restore/stage.js")).stageRestore(request, signal),
  checkFree: async ({ files }) => {
    (await import("./restore/holders.js")).refuseHolders(files);
    return null;
  },
  writeThrough: async ({ steps }, signal) => (await import("./restore/write-through.js")).writeThrough(steps, signal),
  undoWriteThrough: async ({ steps }, signal) =>
    (await import("./restore/write-through.js")).undoWriteThrough(steps, signal),
  diff: async (pair, signal) => (await import("./diff/diff-databases.js")).diffDatabases(pair, signal),
  redactOpen: async ({ file, nullsEmbeddings }) => {
    const { RedactionHost } = await import("./redact/redaction-host.js");
    // The one before may have been given up.
    redaction?.close();
    redaction = RedactionHost.open(file, nullsEmbeddings);
    statements.clear();
    return redaction.layout;
  },
  redactRead: ({ table, after }) => redacted().read(table, after),
  redactWrite: ({ table, changes }) => redacted().write(table, changes),
  redactStatement: ({ index, sql }) => {
    statements.set(index, sql);
    return null;
  },
  foldedCells: async ({ file, after }) => (await import("./redact/folded-cells.js")).foldedCells(file, after),
  indexWords: async ({ file, after }) => (await import("./redact/index-words.js")).indexWords(file, after),
  redactFinish: ({ renamed }) => redacted().finish(statements, renamed),
  close: () => closeAll(),
};

function versions(): Readonly<Record<string, string>> {
  const memory = new Database(":memory:");
  const sqlite = memory.prepare("SELECT sqlite_version()").pluck().get() as string;
  memory.close();
  const file = createRequire(import.meta.url).resolve("better-sqlite3/package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return { sqlite, "better-sqlite3": version };
}

async function closeAll(): Promise<null> {
  for (const { abort } of running.values()) abort.abort();
  await Promise.all([...running.values()].map(({ ended }) => ended));
  await capture?.close();
  redaction?.close();
  capture = undefined;
  return null;
}

async function answer<N extends CallName>(
  id: number,
  name: N,
  argument: Calls[N][0],
  signal: AbortSignal,
): Promise<void> {
  let message: FromHelper;
  try {
    message = { type: "done", id, value: await handlers[name](argument, signal) };
  } catch (error) {
    message = { type: "failed", id, error: toWireError(error) };
  }
  running.delete(id);
  if (process.connected) process.send?.(message);
}

/** How long an orphan may take to close its databases. */
const CLOSE_MS = 10_000;

process.on("message", (message: ToHelper) => {
  if (message.type === "abort") {
    running.get(message.id)?.abort.abort();
    return;
  }
  const abort = new AbortController();
  const { id, name, argument } = message;
  const ended = answer(id, name, argument as never, abort.signal);
  // `close` waits for all that runs; it must not wait for itself.
  if (name !== "close") running.set(id, { abort, ended });
});

// The parent is gone, or has no more to ask.
process.on("disconnect", () => {
  setTimeout(() => process.exit(1), CLOSE_MS).unref();
  void closeAll().finally(() => process.exit(0));
});
// A terminal's Ctrl-C reaches the whole group: the parent decides what to stop.
process.on("SIGINT", () => undefined);

process.send?.({ type: "ready" } satisfies FromHelper);
