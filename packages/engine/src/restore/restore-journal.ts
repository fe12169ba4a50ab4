import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type AgentRef,
  canonicalDigest,
  errnoOf,
  fromSystemError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  KeepsakeError,
  type RestorePlan,
  type StateItem,
  streamOf,
} from "@keepsake/core";
import { fsyncDirectory, writeNewFile } from "@keepsake/files";

/**
 * How far a restore is. "staging": nothing live was touched. "intent": the plans are whole and live data is being
 * changed; recovery takes it back. "committed": every source holds the new data; recovery only completes.
 */
export type RestorePhase = "staging" | "intent" | "committed";

/** One source's part of a restore. */
export interface JournaledPlan {
  readonly source: string;
  readonly plan: RestorePlan;
}

/** What recovery needs to know of a restore, in a process that knows nothing else. */
export interface JournalEntry {
  readonly version: 1;
  readonly operationId: string;
  readonly agentId: string;
  readonly tenant: string;
  /** absolute path of the memory directory */
  readonly memory: string;
  readonly phase: RestorePhase;
  /** directories beside live data that go when the restore is over */
  readonly stagingDirs: readonly string[];
  /** in the order of the commit */
  readonly plans: readonly JournaledPlan[];
  /** absent when state is not restored */
  readonly state?: StatePlan;
}

/** What becomes of the state values. */
export interface StatePlan {
  /** values to set when committed */
  readonly to: readonly StateItem[];
  /** values that were there before */
  readonly before: readonly StateItem[];
  /** the keys that are restored, both lists hold no other; absent: all */
  readonly keys?: readonly string[];
  /** of these keys, those whose value before could not be read: taking the restore back does not touch them */
  readonly unread?: readonly string[];
}

const VERSION = 1;
/** Ends the name of a journal that is being written. */
const PARTIAL_SUFFIX = ".partial";
/** Ends the name of a journal whose restore was taken back: only what was staged has to go. */
const TAKEN_BACK_SUFFIX = ".taken-back";

/** The agent that a file among the journals belongs to: "ana.json", "ana.json.partial", "ana.json.taken-back". */
export function agentOfJournal(fileName: string): string {
  return fileName.replace(/\.json(?:\.partial|\.taken-back)?$/, "");
}

/** The journal of one agent's restore: a small file, replaced durably at every step, vouched for by its own digest. */
export class RestoreJournal {
  readonly #path: string;

  constructor(stateRoot: string, { tenant, agent }: AgentRef) {
    this.#path = join(stateRoot, "journals", tenant, `${agent}.json`);
  }

  async write(entry: JournalEntry): Promise<void> {
    const body = JSON.stringify(entry);
    // Of what will be read: a member that is undefined is not written.
    const digest = canonicalDigest(JSON.parse(body) as JsonObject);
    const text = `${body.slice(0, -1)},"digest":${JSON.stringify(digest)}}`;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await this.sweep();
      await writeNewFile(this.#partial, streamOf(text));
      await rename(this.#partial, this.#path);
      await fsyncDirectory(dirname(this.#path));
    } catch (error) {
      throw fromSystemError(error, "The restore journal cannot be written");
    }
  }

  /** A name that tells whose it is: after a crash it goes with the next operation on that agent. */
  get #partial(): string {
    return `${this.#path}${PARTIAL_SUFFIX}`;
  }

  /** @throws KeepsakeError `E_INTEGRITY` when the journal is damaged, `E_FORMAT_TOO_NEW` when a newer program wrote it */
  async read(): Promise<JournalEntry | undefined> {
    const text = await readIfThere(this.#path);
    if (text !== undefined) return parse(text, this.#path);
    const takenBack = await readIfThere(this.#takenBack);
    return takenBack === undefined ? undefined : { ...parse(takenBack, this.#takenBack), phase: "staging" };
  }

  get #takenBack(): string {
    return `${this.#path}${TAKEN_BACK_SUFFIX}`;
  }

  /**
   * Notes that everything live is as before. It must stand before what was staged is removed: plans tell by what is still
   * staged what was placed, so that taking back once more would take the live data itself for what the restore had placed. By a new
   * name, because on a full disk, which the staged files may have filled, nothing could be written.
   */
  async noteTakenBack(): Promise<void> {
    try {
      await rename(this.#path, this.#takenBack);
      await fsyncDirectory(dirname(this.#path));
    } catch (error) {
      throw fromSystemError(error, "The restore journal cannot be renamed");
    }
  }

  /** Removes what a crash while the journal was written left. The caller holds the agent's lock. */
  async sweep(): Promise<void> {
    await rm(this.#partial, { force: true });
  }

  /** Removes the journal of one operation; another's, which took the lock over meanwhile, stays. */
  async clear(operationId: string): Promise<void> {
    const entry = await this.read();
    if (entry !== undefined && entry.operationId !== operationId) return;
    try {
      await rm(this.#path, { force: true });
      await rm(this.#takenBack, { force: true });
      await fsyncDirectory(dirname(this.#path));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw fromSystemError(error, "The restore journal cannot be removed");
    }
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw fromSystemError(error, "The restore journal cannot be read");
  }
}

function parse(text: string, path: string): JournalEntry {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw damaged(path, error);
  }
  if (!isJsonObject(value)) throw damaged(path);
  const { digest, ...body } = value;
  if (digest !== canonicalDigest(body)) throw damaged(path);
  if (body["version"] !== VERSION) {
    throw new KeepsakeError("E_FORMAT_TOO_NEW", `The restore journal ${path} was written by a newer program.`, {
      context: { path },
    });
  }
  return body as unknown as JournalEntry;
}

function damaged(path: string, cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `The restore journal ${path} is damaged.`, { cause, context: { path } });
}
