import { lstat, mkdir, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  canonicalJson,
  errnoOf,
  type ErrorCode,
  fromSystemError,
  isKeepsakeError,
  type JsonValue,
  KeepsakeError,
  type OmissionReason,
  type OpOptions,
  type StateItem,
  type StateOmission,
  type StateProvider,
  type StateTarget,
} from "@keepsake/core";
import { fsyncDirectory, type Owner, replaceFileDurably, sweepPartialOf } from "@keepsake/files";
import { readState } from "./read-value.js";

/** Which files hold the values. */
export interface JsonStateOptions {
  /** default "json-file" */
  readonly id?: string | undefined;
  /** file by key (`[a-z0-9_-]{1,64}`); may hold `{agent}` and `{tenant}`; relative to `baseDir`, or absolute */
  readonly keys: Readonly<Record<string, string>>;
  /** absolute; default: the working directory */
  readonly baseDir?: string | undefined;
}

const KEY = /^[a-z0-9_-]{1,64}$/;

/**
 * State values that lie in JSON files, one per key. A file that is not there is a value that is not there.
 *
 * A restore writes the value, not the file's former spelling: spaces and the order of equal keys are not kept; mode and
 * owner are. A symbolic link is read through, and replaced by a file. A file inside of the memory directory is captured
 * with the memory as well.
 *
 * @throws KeepsakeError `E_CONFIG` for a malformed key, or two keys of one file
 */
export function jsonState({ id = "json-file", keys, baseDir = process.cwd() }: JsonStateOptions): StateProvider {
  checkKeys(keys);
  const fileOf = (key: string, { agent }: StateTarget): string => {
    const template = Object.hasOwn(keys, key) ? (keys[key] ?? "") : "";
    return resolve(
      baseDir,
      template.replaceAll("{agent}", () => agent.agent).replaceAll("{tenant}", () => agent.tenant),
    );
  };
  return {
    id,
    keys: Object.keys(keys),
    async *capture(target, { signal } = {}) {
      for (const key of Object.keys(keys)) {
        const found = await look(fileOf(key, target), signal);
        if (found !== undefined) yield { key, ...found };
      }
    },
    async restore(target, items, { keep = [], ...options } = {}) {
      const values = valuesOf(items, keys);
      for (const key of Object.keys(keys).filter((one) => !keep.includes(one))) {
        options.signal?.throwIfAborted();
        const path = fileOf(key, target);
        const value = values.get(key);
        await sweep(path);
        if (value === undefined) await clear(path);
        else await write(path, value, options);
      }
    },
  };
}

function checkKeys(keys: Readonly<Record<string, string>>): void {
  const byFile = new Map<string, string>();
  for (const [key, file] of Object.entries(keys)) {
    if (!KEY.test(key)) throw config(`The state key ${JSON.stringify(key)} is not valid: use 1 to 64 of [a-z0-9_-]`);
    const twin = byFile.get(resolve(file));
    if (twin !== undefined)
      throw config(`The state keys ${JSON.stringify(twin)} and ${JSON.stringify(key)} name one file`);
    byFile.set(resolve(file), key);
  }
}

/** The value of a file, or why there is one that cannot be captured: one damaged file keeps no memory from being saved. */
async function look(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly value: JsonValue } | Pick<StateOmission, "omitted"> | undefined> {
  try {
    const value = await readState(path, signal);
    return value === undefined ? undefined : { value };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isKeepsakeError(error)) throw error;
    return { omitted: { reason: REASONS[error.code] ?? "unreadable", code: error.code, detail: error.message } };
  }
}

const REASONS: Partial<Record<ErrorCode, OmissionReason>> = { E_STATE_DAMAGED: "damaged", E_LIMIT: "too_large" };

const config = (sentence: string): KeepsakeError => new KeepsakeError("E_CONFIG", `${sentence}.`);

function valuesOf(items: readonly StateItem[], keys: Readonly<Record<string, string>>): ReadonlyMap<string, JsonValue> {
  for (const { key } of items) {
    if (Object.hasOwn(keys, key)) continue;
    throw new KeepsakeError("E_USAGE", `No file is configured for the state key ${JSON.stringify(key)}.`, {
      context: { key },
    });
  }
  return new Map(items.map(({ key, value }) => [key, value]));
}

async function write(path: string, value: JsonValue, { signal }: OpOptions): Promise<void> {
  const now = await readState(path, signal).catch(() => undefined);
  if (now !== undefined && canonicalJson(now) === canonicalJson(value)) return;
  try {
    await mkdir(dirname(path), { recursive: true });
    const { mode, owner } = await attributesAt(path);
    await replaceFileDurably(path, Buffer.from(`${JSON.stringify(value)}\n`), { signal, mode, owner });
  } catch (error) {
    throw fromSystemError(error, `The state file ${path} cannot be written`, { path });
  }
}

/** A new file stays private; one that is replaced keeps what it had. */
async function attributesAt(path: string): Promise<{ readonly mode: number; readonly owner: Owner | undefined }> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isFile() !== true) return { mode: 0o600, owner: undefined };
  const { mode, uid, gid } = stats;
  return { mode: mode & 0o7777, owner: process.getuid?.() === 0 ? { uid, gid } : undefined };
}

/** A restore that was killed while it wrote left a part of a value here. */
async function sweep(path: string): Promise<void> {
  try {
    await sweepPartialOf(path);
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") return;
    throw fromSystemError(error, `What an earlier restore left beside ${path} cannot be removed`, { path });
  }
}

async function clear(path: string): Promise<void> {
  try {
    await unlink(path);
    await fsyncDirectory(dirname(path));
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return;
    throw fromSystemError(error, `The state file ${path} cannot be cleared`, { path });
  }
}
