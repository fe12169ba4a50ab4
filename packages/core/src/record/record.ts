import { z } from "zod";
import { KeepsakeError } from "../errors/keepsake-error.js";
import { isDeeperThan, isJsonObject, type JsonObject, type JsonValue, MAX_JSON_DEPTH } from "../json.js";
import { fromWire, toWire } from "../wire/case.js";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const recordSchema = z.object({
  recordVersion: z.int().positive().default(1),
  id: z.string(),
  agentId: z.string(),
  tenant: z.string(),
  label: z.string().optional(),
  createdAtMs: z.number(),
  createdBy: z.string(),
  bundlePath: z.string(),
  bundleSizeBytes: z.int().nonnegative(),
  bundleSha256: sha256,
  fileSha256: sha256,
  manifestSeal: sha256,
  gitOid: z.string().optional(),
  schemaVersions: z.record(z.string(), z.number()),
  encrypted: z.boolean(),
  redactionsApplied: z.boolean(),
  codecs: z.array(z.string()),
  artifactCount: z.int().nonnegative(),
  complete: z.boolean(),
  recipientsFingerprint: z.array(z.string()).optional(),
  verifiedAtMs: z.number().optional(),
  provenAtMs: z.number().optional(),
  provenRestoreMs: z.number().nonnegative().optional(),
  /** what taking it spent its time with, in milliseconds */
  phasesMs: z.record(z.string(), z.number()).optional(),
});

/** What `list` knows of a snapshot without opening its bundle. A snapshot exists when its record does. */
export type SnapshotRecord = z.output<typeof recordSchema>;

/** The bytes of `<id>.json`. */
export function encodeRecord(record: SnapshotRecord): Uint8Array {
  return Buffer.from(`${JSON.stringify(toWire(record), null, 2)}\n`);
}

/** @throws KeepsakeError `E_RECORD` when the bytes are no record, `E_FORMAT_TOO_NEW` when it is a newer one */
export function parseRecord(bytes: Uint8Array): SnapshotRecord {
  let value: JsonValue;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8")) as JsonValue;
  } catch (error) {
    throw new KeepsakeError("E_RECORD", "The record is not JSON.", { cause: error });
  }
  if (!isJsonObject(value)) throw new KeepsakeError("E_RECORD", "The record is not a JSON object.");
  if (isDeeperThan(value, MAX_JSON_DEPTH)) throw new KeepsakeError("E_RECORD", "The record is nested too deeply.");
  checkVersion(value);
  const result = recordSchema.safeParse(fromWire(value));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new KeepsakeError("E_RECORD", `The record is malformed at ${issue?.path.join(".") ?? "its root"}.`, {
    cause: result.error,
  });
}

const RECORD_VERSION = 1;

function checkVersion(wire: JsonObject): void {
  const version = wire["record_version"] ?? RECORD_VERSION;
  if (typeof version !== "number" || version <= RECORD_VERSION) return;
  throw new KeepsakeError(
    "E_FORMAT_TOO_NEW",
    `The record has version ${String(version)}; this program reads up to ${String(RECORD_VERSION)}.`,
    { context: { found: version, supported: RECORD_VERSION } },
  );
}
