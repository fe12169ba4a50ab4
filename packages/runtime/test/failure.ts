import { isKeepsakeError, type KeepsakeError } from "@keepsake/core";

/** The KeepsakeError a call ends with; any other end fails the test. */
export async function failure(work: Promise<unknown>): Promise<KeepsakeError> {
  try {
    await work;
  } catch (error) {
    if (isKeepsakeError(error)) return error;
    throw error;
  }
  throw new Error("It did not fail.");
}

/** `path: message` of every problem of an `E_CONFIG`. */
export function problemsOf(error: KeepsakeError): readonly string[] {
  const problems = error.context["problems"] as readonly { path: string; message: string }[];
  return problems.map(({ path, message }) => `${path}: ${message}`);
}
