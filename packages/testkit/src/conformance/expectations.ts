import assert from "node:assert/strict";
import { type ErrorCode, isKeepsakeError } from "@keepsake/core";

/** @throws AssertionError with the sentence unless `condition` holds */
export function check(condition: boolean, sentence: string): asserts condition {
  assert.ok(condition, sentence);
}

/** Deep and strict equality. @throws AssertionError with the sentence and the difference */
export function same(actual: unknown, expected: unknown, sentence: string): void {
  try {
    assert.deepStrictEqual(actual, expected);
  } catch (error) {
    const difference = error instanceof Error ? error.message : String(error);
    throw new assert.AssertionError({ message: `${sentence}\n${difference}`, actual, expected, operator: "same" });
  }
}

/** Equal bytes; the message says where they part. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array, sentence: string): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const shorter = Math.min(actual.length, expected.length);
  let at = 0;
  while (at < shorter && actual[at] === expected[at]) at++;
  assert.fail(`${sentence} ${actual.length} bytes instead of ${expected.length}; they part at ${at}.`);
}

/** What a promise rejects with. @throws AssertionError when it does not reject */
export async function failureOf(work: Promise<unknown>, sentence: string): Promise<unknown> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  check(outcome !== undefined, `${sentence} It ended well instead of failing.`);
  return outcome.error;
}

/** The work fails with a KeepsakeError of one of the codes. */
export async function failsWith(
  codes: ErrorCode | readonly ErrorCode[],
  work: Promise<unknown>,
  sentence: string,
): Promise<void> {
  const error = await failureOf(work, sentence);
  const wanted = typeof codes === "string" ? [codes] : codes;
  check(
    isKeepsakeError(error) && wanted.includes(error.code),
    `${sentence} It failed with ${nameOf(error)} instead of ${wanted.join(" or ")}.`,
  );
}

/** The work fails with this very value. */
export async function failsAs(reason: unknown, work: Promise<unknown>, sentence: string): Promise<void> {
  const error = await failureOf(work, sentence);
  check(error === reason, `${sentence} It failed with ${nameOf(error)} instead of the very ${nameOf(reason)}.`);
}

/** The optional member is not there at all. */
export function isAbsent(object: object, member: string, sentence: string): void {
  same(Reflect.get(object, member), undefined, sentence);
}

/** A short name of anything thrown. */
export function nameOf(error: unknown): string {
  if (isKeepsakeError(error)) return `${error.code} (${error.message})`;
  return error instanceof Error ? `${error.name} (${error.message})` : String(error);
}

/** True when a value survives JSON as it is. */
export function isPlainJson(value: unknown): boolean {
  try {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(value)) as unknown, value);
    return true;
  } catch {
    return false;
  }
}
