import { errnoOf, type ErrorCode, isKeepsakeError, type OmissionReason } from "@keepsake/core";

/** Why something is not captured. */
export interface Unreadable {
  readonly reason: OmissionReason;
  readonly code?: ErrorCode;
  readonly detail?: string;
}

/** What a refusal to show something, by the system or by us, means for the snapshot. */
export function unreadable(error: unknown): Unreadable {
  if (isKeepsakeError(error)) return { reason: "unreadable", code: error.code, detail: error.message };
  const errno = errnoOf(error) ?? "";
  if (errno === "ENOENT" || errno === "ENOTDIR") return { reason: "vanished", code: "E_NOT_FOUND" };
  const denied = errno === "EACCES" || errno === "EPERM";
  return { reason: "unreadable", code: denied ? "E_PERMISSION" : "E_IO", detail: errno };
}
