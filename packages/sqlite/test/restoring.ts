import { copyFileSync, mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactSource, BundleEntry, Omission, OpOptions, RestorePlan, RestoreTarget } from "@keepsake/core";
import { makeStagingPlace, stagingPlaceFor } from "@keepsake/files";
import { agent, capture, filesOf, metaOf, type place } from "./support.js";

type Place = Awaited<ReturnType<typeof place>>;

/** What a capture gave, as a restore gets it. */
export interface TestBundle {
  readonly entries: readonly BundleEntry[];
  readonly omitted: readonly Omission[];
}

let count = 0;

/** Captures what is in the memory now, and keeps it. */
export async function bundleOf(at: Place, source: ArtifactSource): Promise<TestBundle> {
  const { entries } = await capture(source, at.target());
  const omitted = entries.flatMap((entry): Omission[] => {
    if (entry.type !== "omitted") return [];
    const { type: _type, ...rest } = entry;
    return [{ source: "sqlite", ...rest }];
  });
  const files = Object.values(filesOf(entries));
  return {
    omitted,
    entries: files.map((entry) => ({ meta: metaOf(entry, entry.file), path: entry.path, file: entry.file })),
  };
}

/** A staged restore, and what an engine does with it. Each step is done by a session of its own, from the plan's JSON. */
export class StagedRestore implements AsyncDisposable {
  readonly plan: RestorePlan;
  readonly #source: ArtifactSource;
  readonly #target: RestoreTarget;
  readonly #places: readonly string[];

  constructor(source: ArtifactSource, target: RestoreTarget, places: readonly string[], plan: RestorePlan) {
    this.#source = source;
    this.#target = target;
    this.#places = places;
    this.plan = JSON.parse(JSON.stringify(plan)) as RestorePlan;
  }

  async commit(options?: OpOptions): Promise<void> {
    await using session = await this.#open();
    await session.commit(this.plan, options);
  }

  async rollback(): Promise<void> {
    await using session = await this.#open();
    await session.rollback(this.plan);
  }

  async finish(): Promise<void> {
    await using session = await this.#open();
    await session.finish(this.plan);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const dir of this.#places) await rm(dir, { recursive: true, force: true });
  }

  #open() {
    const open = this.#source.openRestore;
    if (open === undefined) throw new Error("cannot restore");
    // As in a recovery, nothing is known of the bundle any more.
    return open.call(this.#source, { ...this.#target, artifacts: [] });
  }
}

/** Stages a bundle into the memory; its files are copied first, so that it can be restored twice. */
export async function stage(
  at: Place,
  source: ArtifactSource,
  bundle: TestBundle,
  { live = false, omitted = bundle.omitted }: { live?: boolean; omitted?: readonly Omission[] } = {},
): Promise<StagedRestore> {
  const operationId = `op-${String(count++)}`;
  const unpacked = join(at.dir, operationId);
  mkdirSync(unpacked);
  const places: string[] = [];
  const target: RestoreTarget = {
    agent,
    paths: { memory: at.memory },
    operationId,
    artifacts: bundle.entries.map(({ meta }) => meta),
    claimed: [],
    live,
    async stageBeside(dir) {
      const made = await stagingPlaceFor(dir, `${operationId}-${String(places.length)}`);
      places.push(made);
      await makeStagingPlace(made);
      return made;
    },
  };
  async function* entries(): AsyncGenerator<BundleEntry> {
    for (const [index, entry] of bundle.entries.entries()) {
      const file = join(unpacked, String(index));
      if (entry.file !== undefined) copyFileSync(entry.file, file);
      yield entry.file === undefined ? entry : { ...entry, file };
    }
  }
  const session = await source.openRestore?.(target);
  if (session === undefined) throw new Error("cannot restore");
  try {
    return new StagedRestore(source, target, places, await session.stage(entries(), omitted));
  } catch (error) {
    for (const dir of places) await rm(dir, { recursive: true, force: true });
    throw error;
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

/** Stages, commits and finishes. */
export async function restore(...args: Parameters<typeof stage>): Promise<RestorePlan> {
  await using staged = await stage(...args);
  await staged.commit();
  await staged.finish();
  return staged.plan;
}
