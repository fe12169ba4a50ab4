import { type BigIntStats, chmodSync, lstatSync, lutimesSync } from "node:fs";
import { lstat, lutimes } from "node:fs/promises";
import { errnoOf } from "@keepsake/core/basics";
import type { FsPath } from "./fs-path.js";

/** Permission bits, and modification time in milliseconds since 1970, with the fraction down to microseconds. */
export interface Attributes {
  readonly mode: number;
  readonly mtimeMs: number;
}

/** What is at `path` itself, a link not followed; undefined where nothing is. */
export async function lookAt(path: FsPath): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The same, for who may not wait. */
export function lookAtNow(path: FsPath): BigIntStats | undefined {
  try {
    // Nothing there is the usual answer: an error made of it would cost more than the call.
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/**
 * The attributes as they travel: whole microseconds, which is what Node can set again. From nanoseconds alone: the float
 * `mtimeMs` of a time in our century is off by a quarter of a microsecond, and rounds to either side.
 */
export function attributesOf(stats: { readonly mode: number | bigint; readonly mtimeNs: bigint }): Attributes {
  return { mode: Number(stats.mode) & 0o7777, mtimeMs: Number(stats.mtimeNs / 1000n) / 1000 };
}

export function sameAttributes(a: Attributes, b: Attributes): boolean {
  return a.mode === b.mode && sameTime(a.mtimeMs, b.mtimeMs);
}

/** True when two times are the same microsecond. */
export function sameTime(aMs: number, bMs: number): boolean {
  return Math.abs(aMs - bMs) < 0.0005;
}

/** Sets the modification time of `path` itself, a link not followed, exact to the microsecond; the access time stays. */
export async function setTime(path: FsPath, mtimeMs: number, atimeMs = mtimeMs): Promise<void> {
  await lutimes(path, settable(atimeMs), settable(mtimeMs));
}

/** The same, for who may not wait. */
export function setTimeSync(path: FsPath, mtimeMs: number, atimeMs = mtimeMs): void {
  lutimesSync(path, settable(atimeMs), settable(mtimeMs));
}

/**
 * A time as Node's calls take it: seconds, half a microsecond more where they are no whole ones: a float of them is off by as
 * much, and libuv rounds down, on Node 20 to microseconds, on Node 24 to nanoseconds, where the half stays. Before 1970 Node takes
 * only a Date.
 */
export function settable(ms: number): number | Date {
  if (ms < 0) return new Date(ms);
  const micros = Math.round(ms * 1000);
  return micros % 1_000_000 === 0 ? micros / 1_000_000 : (micros + 0.5) / 1_000_000;
}

/** Sets mode and time of `path` itself where it exists; a symbolic link has no mode to set. It does not wait. */
export function setAttributesNow(path: FsPath, { mode, mtimeMs }: Attributes): void {
  const stats = lookAtNow(path);
  if (stats === undefined) return;
  if (!stats.isSymbolicLink() && (Number(stats.mode) & 0o7777) !== mode) chmodSync(path, mode);
  setTimeSync(path, mtimeMs, Number(stats.atimeNs / 1000n) / 1000);
}
