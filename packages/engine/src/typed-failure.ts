import { errnoOf, fromSystemError } from "@keepsake/core";

/** Does the work; when it fails, with the failure that came first, typed. */
export async function typed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const first = firstFailure(error);
    throw errnoOf(first) === undefined ? first : fromSystemError(first, "The system refused what was needed");
  }
}

/** What failed while another failure was being cleaned up hides that one, code and all; `await using` keeps it inside. */
function firstFailure(error: unknown): unknown {
  let first = error;
  while (first instanceof Error && first.name === "SuppressedError" && "suppressed" in first) first = first.suppressed;
  return first;
}
