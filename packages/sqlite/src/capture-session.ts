import {
  type CaptureSession,
  type CaptureTarget,
  type KnownFile,
  type OpOptions,
  type PathClaim,
  type SourceEntry,
  type SourceFacts,
  type WatchedPlace,
} from "@keepsake/core";
import { selectionFor, type SqliteOptions } from "./options.js";
import { HelperProcess } from "./process/helper-process.js";
import type { CopyResult, Discovery, Exclusion, FoundDatabase } from "./process/protocol.js";

const DEFAULT_HOLD_TIMEOUT_MS = 250;

/** Captures all databases of one agent. */
export class SqliteCaptureSession implements CaptureSession {
  readonly watched: readonly WatchedPlace[];
  readonly #helper: HelperProcess;
  readonly #discovery: Discovery;
  readonly #options: SqliteOptions;
  readonly #known: ReadonlyMap<string, KnownFile>;
  readonly #userVersions: [string, number][] = [];

  private constructor(
    helper: HelperProcess,
    discovery: Discovery,
    options: SqliteOptions,
    known: ReadonlyMap<string, KnownFile>,
    root: string,
  ) {
    this.watched = [{ path: root, scope: "tree" }, ...discovery.databases.flatMap(({ file }) => sidecarsOf(file))];
    this.#helper = helper;
    this.#discovery = discovery;
    this.#options = options;
    this.#known = known;
  }

  static async open(options: SqliteOptions, target: CaptureTarget, op?: OpOptions): Promise<SqliteCaptureSession> {
    const selection = selectionFor(options, target.agent, target.paths);
    const helper = new HelperProcess();
    try {
      const { scratchDir, known = new Map<string, KnownFile>() } = target;
      const marks = Object.fromEntries([...known].map(([path, { mark }]) => [path, mark]));
      const discovery = await helper.call("open", { selection, scratchDir, known: marks }, op);
      return new SqliteCaptureSession(helper, discovery, options, known, selection.root);
    } catch (error) {
      await helper[Symbol.asyncDispose]();
      throw error;
    }
  }

  get claims(): readonly PathClaim[] {
    return this.#discovery.claims;
  }

  async hold(op: OpOptions & { readonly timeoutMs?: number } = {}): Promise<AsyncDisposable> {
    const timeoutMs = this.#options.holdTimeoutMs ?? op.timeoutMs ?? DEFAULT_HOLD_TIMEOUT_MS;
    try {
      await this.#helper.call("hold", { timeoutMs }, op);
    } catch (error) {
      // An abort may have crossed the answer: nothing stays held.
      await this.#helper.call("release", null).catch(() => undefined);
      throw error;
    }
    let released: Promise<unknown> | undefined;
    const helper = this.#helper;
    return {
      async [Symbol.asyncDispose](): Promise<void> {
        await (released ??= helper.call("release", null));
      },
    };
  }

  pin(op?: OpOptions): Promise<"held" | "fenced"> {
    return this.#helper.call("pin", null, op);
  }

  async unpin(op?: OpOptions): Promise<void> {
    await this.#helper.call("unpin", null, op);
  }

  fence(op?: OpOptions): Promise<string> {
    return this.#helper.call("fence", null, op);
  }

  async *entries(op: OpOptions = {}): AsyncGenerator<SourceEntry> {
    for (const path of this.#discovery.absent) yield { type: "absent", path, required: true };
    for (const exclusion of this.#discovery.omitted) yield omission(exclusion);
    for (const [index, found] of this.#discovery.databases.entries()) {
      op.signal?.throwIfAborted();
      yield this.#entry(found, await this.#helper.call("copy", { index }, op));
    }
  }

  async describe(): Promise<SourceFacts> {
    return {
      schemaVersions: Object.fromEntries(this.#userVersions),
      toolVersions: await this.#helper.call("versions", null),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#helper[Symbol.asyncDispose]();
  }

  #entry(found: FoundDatabase, result: CopyResult): SourceEntry {
    const { path, nameEncoding } = found;
    if (result.status === "omitted") {
      if (result.reason === "vanished" && this.#options.required?.includes(found.name) === true) {
        return { type: "absent", path, required: true };
      }
      const { status: _status, ...why } = result;
      return omission({ path, ...why });
    }
    const { mode, mtimeMs, mark } = result;
    const facts = result.status === "copied" ? result.facts : (this.#known.get(path)?.facts ?? {});
    this.#userVersions.push([path, Number(facts["user_version"])]);
    const kind = this.#options.kinds?.[found.name];
    return {
      type: "file",
      path,
      ...(nameEncoding === undefined ? {} : { nameEncoding }),
      mode,
      mtimeMs,
      content: result.status === "copied" ? { file: result.file } : { known: true },
      ...(kind === undefined ? {} : { kind }),
      facts,
      ...(mark === undefined ? {} : { mark }),
    };
  }
}

/** SQLite sets the owner of a log each time root opens it; the index of a log is no part of what is captured. */
function sidecarsOf(file: string): readonly WatchedPlace[] {
  return [
    { path: `${file}-wal`, scope: "path", counts: "written" },
    { path: `${file}-shm`, scope: "path", counts: "nothing" },
  ];
}

function omission({ path, reason, code, detail }: Exclusion): SourceEntry {
  return {
    type: "omitted",
    path,
    reason,
    ...(code === undefined ? {} : { code }),
    ...(detail === undefined || detail === "" ? {} : { detail }),
  };
}
