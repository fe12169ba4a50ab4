import { errnoOf, type ErrorCode, type OmissionReason } from "@keepsake/core";

/** Why something is not captured. */
export interface Unreadable {
  readonly reason: OmissionReason;
  readonly code?: ErrorCode;
  readonly detail?: string;
}

/** What a system call's refusal to show something means for the snapshot. */
export function unreadable(error: unknown): Unreadable {
  const errno = errnoOf(error) ?? "";
  if (errno === "ENOENT" || errno === "ENOTDIR") return { reason: "vanished", code: "E_NOT_FOUND" };
  const denied = errno === "EACCES" || errno === "EPERM";
  return { reason: "unreadable", code: denied ? "E_PERMISSION" : "E_IO", detail: errno };
}
