import { KeepsakeError } from "@keepsake/core";
import { expect } from "vitest";

/** What a promise fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  let failure: unknown;
  await promise.then(
    () => expect.fail("It did not fail."),
    (error: unknown) => {
      failure = error;
    },
  );
  return failure;
}

export const broken = (text = "The line broke."): KeepsakeError => new KeepsakeError("E_IO", text);
