import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  type BundleStore,
  type ByteStream,
  collectBytes,
  errnoOf,
  fromSystemError,
  isKeepsakeError,
  KeepsakeError,
  type SnapshotRecord,
} from "@keepsake/core";
import { readChunks } from "@keepsake/files";
import { digestKey } from "../layout.js";
import { type RangedBundle, rangedInStore } from "./ranged-bundle.js";

/** Where a bundle's bytes come from: a store, or a file from elsewhere. */
export interface BundleOrigin {
  /** store key or file path; for people */
  readonly label: string;
  /** its suffixes tell how to read it */
  readonly fileName: string;
  /** @throws KeepsakeError `E_NOT_FOUND` */
  open(signal?: AbortSignal): Promise<{ readonly sizeBytes: number; readonly body: ByteStream }>;
  /** What the `.sha256` beside it says, or undefined when there is none. @throws KeepsakeError `E_INTEGRITY` when it is malformed */
  recordedDigest(signal?: AbortSignal): Promise<string | undefined>;
  /** absent: it can be read only as a whole */
  readonly ranged?: RangedBundle | undefined;
}

/** A snapshot's bundle, of which a part can be read too where the store can do that. */
export function originOfRecord(store: BundleStore, record: SnapshotRecord): BundleOrigin {
  return { ...originInStore(store, record.bundlePath), ranged: rangedInStore(store, record) };
}

export function originInStore(store: BundleStore, key: string): BundleOrigin {
  return {
    label: key,
    fileName: basename(key),
    async open(signal) {
      const { object, body } = await store.get(key, { signal });
      return { sizeBytes: object.sizeBytes, body };
    },
    async recordedDigest(signal) {
      try {
        const { body } = await store.get(digestKey(key), { signal });
        return parseDigest(await collectBytes(body, MAX_DIGEST_FILE), key);
      } catch (error) {
        if (isKeepsakeError(error, "E_NOT_FOUND")) return undefined;
        throw error;
      }
    },
  };
}

export function originInFile(path: string): BundleOrigin {
  return {
    label: path,
    fileName: basename(path),
    async open() {
      const stats = await statBundle(path);
      return { sizeBytes: stats.size, body: readChunks(path) };
    },
    async recordedDigest() {
      try {
        return parseDigest(await readFile(`${path}.sha256`), path);
      } catch (error) {
        if (errnoOf(error) !== "ENOENT") throw fromSystemError(error, `The digest ${path}.sha256 cannot be read`);
        await statBundle(path);
        return undefined;
      }
    },
  };
}

/** @throws KeepsakeError `E_NOT_FOUND` when there is no such file */
async function statBundle(path: string): Promise<Stats> {
  const stats = await stat(path).catch((error: unknown) => {
    throw fromSystemError(error, `The bundle ${path} cannot be read`);
  });
  if (!stats.isFile()) throw new KeepsakeError("E_NOT_FOUND", `${path} is no file.`);
  return stats;
}

const MAX_DIGEST_FILE = 4096;

/** Accepts the bare digest and the form of `sha256sum` (digest, two spaces, name). */
function parseDigest(bytes: Uint8Array, label: string): string {
  const match = /^([0-9a-f]{64})(?:\s|$)/.exec(Buffer.from(bytes).toString("latin1"));
  if (match?.[1] !== undefined) return match[1];
  throw new KeepsakeError("E_INTEGRITY", `The digest beside ${label} is not 64 hex digits.`);
}
