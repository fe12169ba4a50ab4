import { KeepsakeError } from "../errors/keepsake-error.js";

declare const snapshotBrand: unique symbol;

/** A UUIDv7 in its lower-case text form: sortable by creation time, usable as a file name (RFC 9562, section 5.7). */
export type SnapshotId = string & { readonly [snapshotBrand]: true };

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True when `value` has the form of a snapshot id. */
export function isSnapshotId(value: string): value is SnapshotId {
  return UUID_V7.test(value);
}

/** @throws KeepsakeError `E_INVALID_ID` */
export function parseSnapshotId(value: string): SnapshotId {
  if (isSnapshotId(value)) return value;
  throw new KeepsakeError("E_INVALID_ID", `${JSON.stringify(value.slice(0, 80))} is not a snapshot id.`, {
    context: { what: "snapshot" },
    hint: "A snapshot id is a UUIDv7 in lower case, as `list` shows it.",
  });
}
