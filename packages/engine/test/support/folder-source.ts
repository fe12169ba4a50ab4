import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  type ArtifactSource,
  type BundleEntry,
  type RestorePlan,
  type RestoreSession,
  type RestoreTarget,
  type SourceEntry,
  streamOf,
} from "@keepsake/core";
import { applySwap, revertSwap, swapPlanFromJson, swapPlanToJson, type SwapStep } from "@keepsake/files";

/** What a test may put in the way of a restore: called before each step, may throw. */
export type RestoreHook = (
  step: "open" | "stage" | "commit" | "rollback" | "finish",
  source: string,
) => void | Promise<void>;

export interface FolderSource extends ArtifactSource {
  readonly id: string;
}

/** A source of the plain files in `<memory>/<id>`, which restores them by a swap plan as the real sources do. */
export function folderSource(id: string, hook: RestoreHook = () => undefined): FolderSource {
  return {
    id,
    kind: "test/folder",
    async open({ paths }) {
      const folder = join(paths.memory, id);
      return {
        claims: [{ path: folder, scope: "tree" }],
        pin: async () => "held",
        async *entries(): AsyncGenerator<SourceEntry> {
          for (const name of await filesIn(folder)) {
            const file = join(folder, name);
            const { mode, mtimeMs } = await stat(file);
            yield { type: "file", path: name, mode, mtimeMs, content: { stream: streamOf(await readFile(file)) } };
          }
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
    async openRestore(target) {
      await hook("open", id);
      return restoreSession(id, target, hook);
    },
  };
}

function restoreSession(id: string, target: RestoreTarget, hook: RestoreHook): RestoreSession {
  const folder = join(target.paths.memory, id);
  return {
    claims: [{ path: folder, scope: "tree" }],
    async stage(entries) {
      const place = await target.stageBeside(target.paths.memory);
      const steps = await stepsFor(folder, place, entries);
      await hook("stage", id);
      const changes = steps.map(({ do: act, live }) => ({
        action: act === "remove" ? ("delete" as const) : ("replace" as const),
        path: typeof live === "string" ? relative(target.paths.memory, live) : "",
      }));
      return { changes, data: swapPlanToJson({ steps }), notices: [] };
    },
    async commit(plan: RestorePlan, { signal } = {}) {
      const { steps } = swapPlanFromJson(plan.data);
      // One step at a time, so that a test can stop in the middle.
      for (let count = 1; count <= steps.length; count++) {
        await hook("commit", id);
        await applySwap({ steps: steps.slice(0, count) }, signal);
      }
      await hook("commit", id);
      signal?.throwIfAborted();
    },
    async rollback(plan) {
      await hook("rollback", id);
      await revertSwap(swapPlanFromJson(plan.data));
    },
    async finish() {
      await hook("finish", id);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function stepsFor(folder: string, place: string, entries: AsyncIterable<BundleEntry>): Promise<SwapStep[]> {
  const steps: SwapStep[] = [];
  const wanted = new Set<string>();
  await mkdir(place, { recursive: true });
  const there = await filesIn(folder);
  if (there.length === 0) steps.push({ do: "make_dir", live: folder, mode: 0o755 });
  for await (const { path, file } of entries) {
    if (file === undefined) continue;
    wanted.add(path);
    const staged = join(place, `new-${path}`);
    await writeFile(staged, await readFile(file));
    steps.push({ do: "put", live: join(folder, path), staged, undo: join(place, `old-${path}`) });
  }
  for (const name of there)
    if (!wanted.has(name)) steps.push({ do: "remove", live: join(folder, name), undo: join(place, `old-${name}`) });
  return steps;
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}
