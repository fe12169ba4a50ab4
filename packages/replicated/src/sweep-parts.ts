import { digestOf, type HealthFinding, type OpOptions, type StoredObject } from "@keepsake/core";
import { differences, type Held } from "./compare-copies.js";
import type { Group } from "./group.js";
import { heal } from "./heal.js";
import type { Part } from "./part.js";
import { isOwn, onePlaceIn } from "./same-place.js";
import { survey } from "./survey.js";

/** Sweeps every part that can be reached, and lets those that are back catch up with what they missed. */
export async function sweepParts(
  group: Group,
  { olderThanMs = Number.POSITIVE_INFINITY, signal }: OpOptions & { readonly olderThanMs?: number },
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const part of group.parts) {
    const { store } = part;
    if (!store.sweep) continue;
    try {
      const names = await store.sweep({ olderThanMs, ...(signal ? { signal } : {}) });
      removed.push(...names.map((name) => `${part.name}: ${name}`));
    } catch (error) {
      signal?.throwIfAborted();
      part.failed(error);
    }
  }
  await catchUp(group, signal);
  return removed;
}

/** Does what notes say, where all parts can be reached: only then is it known that nobody has the object. */
async function catchUp(group: Group, signal: AbortSignal | undefined): Promise<void> {
  for (const [name, keys] of await group.notes.all(signal)) {
    const part = group.parts.find((one) => one.name === name);
    if (part === undefined) continue;
    for (const key of keys.keys()) await catchUpWith(group, part, key, signal);
  }
}

async function catchUpWith(group: Group, part: Part, key: string, signal: AbortSignal | undefined): Promise<void> {
  const { copies, stale, down } = await survey(group.parts, group.notes, key, signal);
  if (down.length > 0) return;
  const [source] = copies.filter((copy) => copy.part !== part);
  if (source !== undefined && stale.some((copy) => copy.part === part)) {
    try {
      const { sha256 } = await digestOf((await source.part.store.get(key, { signal })).body);
      await heal(group, { key, source, sha256, absent: [], wrong: [part] }, signal);
    } catch (error) {
      signal?.throwIfAborted();
      source.part.failed(error);
    }
    return;
  }
  for (const { part: holder } of stale.filter((copy) => copy.part === part)) {
    const gone = await holder.ask(signal, (inner) => holder.store.delete(key, { signal: inner }));
    if ("error" in gone) return;
  }
  await group.notes.remove(part, key, signal);
}

/** What each part says of its place, and which of them is behind. */
export async function inspectParts(group: Group, signal: AbortSignal | undefined): Promise<readonly HealthFinding[]> {
  const findings: HealthFinding[] = [];
  let down = 0;
  const held = new Map<Part, ReadonlyMap<string, StoredObject>>();
  for (const part of group.parts) {
    const { store } = part;
    const own = await part.ask(signal, async (inner) => (await store.inspect?.({ signal: inner })) ?? []);
    const objects = "error" in own ? own : await part.ask(signal, (inner) => objectsOf(part, inner));
    if ("error" in objects) {
      down += 1;
      findings.push(downFinding(part, objects.error.message));
      continue;
    }
    held.set(part, objects.value);
    if ("error" in own) continue;
    findings.push(...own.value.map((finding) => ({ ...finding, message: `${part.name}: ${finding.message}` })));
  }
  const onePlace = await onePlaceIn(group.places, signal);
  if (onePlace.length > 0) return [...findings, ...onePlace];
  findings.push(...lacking(held));
  const notes = await group.notes.all(signal);
  findings.push(...(await differences(group, held, notes, signal)));
  for (const [name, keys] of notes) if (keys.size > 0) findings.push(behind(name, keys.size));
  if (down === 0) return findings;
  const isEnough = group.parts.length - down >= group.enough;
  return [...findings, ...(isEnough ? [] : [tooFew(group, down)])];
}

async function objectsOf({ store }: Part, signal: AbortSignal): Promise<ReadonlyMap<string, StoredObject>> {
  const objects = new Map<string, StoredObject>();
  for await (const object of store.list("", { signal })) if (!isOwn(object.key)) objects.set(object.key, object);
  return objects;
}

/** A store that was emptied, or is another one than it was, answers like one in order: only the others tell. */
function* lacking(held: Held): Generator<HealthFinding> {
  const all = new Set([...held.values()].flatMap((objects) => [...objects.keys()]));
  for (const [{ name, store }, objects] of held) {
    const count = all.size - objects.size;
    if (count === 0) continue;
    yield {
      name: "replica",
      status: "warning",
      message: `The store ${name} (${store.describe()}) lacks ${count} of the ${all.size} objects that are in the others.`,
      hint: "`keepsake sync` copies what it lacks. If it should have them, see whether its place is the right one.",
      details: { store: name, lacks: count },
    };
  }
}

function downFinding(part: Part, reason: string): HealthFinding {
  return {
    name: "replica",
    status: "warning",
    message: `The store ${part.name} (${part.store.describe()}) cannot be used: ${reason}`,
    hint: "When it is back, `keepsake sync` copies what it missed.",
    details: { store: part.name },
  };
}

function behind(name: string, count: number): HealthFinding {
  return {
    name: "replica",
    status: "warning",
    message: `The store ${name} has missed ${count} ${count === 1 ? "deletion or change" : "deletions or changes"}.`,
    hint: "`keepsake recover` lets it catch up once all stores can be reached.",
    details: { store: name, missed: count },
  };
}

function tooFew(group: Group, down: number): HealthFinding {
  const { parts, enough } = group;
  return {
    name: "replica",
    status: "problem",
    message: `${parts.length - down} of ${parts.length} stores can be used, and ${enough} have to take a snapshot: none can be taken.`,
    hint: "Mend a store that is down, or lower `write`.",
  };
}
