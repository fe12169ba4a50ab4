import type { KeepsakeError, StoredObject } from "@keepsake/core";
import type { Group } from "./group.js";
import type { Answer, Part } from "./part.js";
import { survey } from "./survey.js";

/**
 * Deletes an object in all parts. What a part holds that is down is noted to be out of date: it is never shown, read or
 * copied again, and goes when the part is back.
 *
 * @throws KeepsakeError the first part's error when all are down, or none can note what one that is down has missed
 */
export async function deleteCopies(group: Group, key: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { copies } = await survey(group.parts, group.notes, key, signal);
  const remove = (part: Part): Promise<Answer<boolean>> =>
    part.ask(signal, (inner) => part.store.delete(key, { signal: inner }));
  const answers = await inAll(group, remove);
  // Who was copying it while it went, wrote either before this, or sees that it is gone and takes his copy back.
  const again = await Promise.all(
    answers.map(async (asked) => {
      if ("error" in asked.answer || copies.length === 0) return asked;
      return { part: asked.part, answer: await remove(asked.part) };
    }),
  );
  await noteMissed(group, again, key, signal);
  const deleted = answers.filter(({ answer }) => "value" in answer && answer.value).map(({ part }) => part);
  return copies.some(({ part }) => deleted.includes(part));
}

/** Replaces a small object in all parts; those that are down have it out of date. */
export async function replaceCopies(
  group: Group,
  key: string,
  body: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<StoredObject> {
  const answers = await inAll(group, (part) =>
    part.ask(signal, async (inner) => {
      if (!part.store.replace) throw new TypeError(`The store ${part.name} cannot replace.`);
      return part.store.replace(key, body, { signal: inner });
    }),
  );
  await noteMissed(group, answers, key, signal);
  const done = answers.flatMap(({ answer }) => ("value" in answer ? [answer.value] : []));
  const failed = answers.flatMap(({ answer }) => ("error" in answer ? [answer.error] : []));
  const [first] = done;
  if (first !== undefined && done.length >= group.enough) return first;
  throw failed[0] ?? new TypeError("A replacement neither failed nor was done.");
}

interface Asked<T> {
  readonly part: Part;
  readonly answer: Answer<T>;
}

function inAll<T>(group: Group, ask: (part: Part) => Promise<Answer<T>>): Promise<readonly Asked<T>[]> {
  return Promise.all(group.parts.map(async (part) => ({ part, answer: await ask(part) })));
}

async function noteMissed<T>(
  group: Group,
  answers: readonly Asked<T>[],
  key: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const missed: { readonly part: Part; readonly error: KeepsakeError }[] = [];
  for (const { part, answer } of answers) if ("error" in answer) missed.push({ part, error: answer.error });
  for (const { part, error } of missed) if (!(await group.notes.add(part, key, signal))) throw error;
}
