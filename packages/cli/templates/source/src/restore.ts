import { createReadStream } from "node:fs";
import { copyFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  type ArtifactMeta,
  digestOf,
  type PlannedChange,
  type RestorePlan,
  type RestoreSession,
  type RestoreTarget,
} from "@keepsake/core";
import {
  applySwap,
  attributesOf,
  lookAt,
  revertSwap,
  sameAttributes,
  swapPlanFromJson,
  swapPlanToJson,
  type SwapStep,
} from "@keepsake/files";

/**
 * One restore. `stage` changes nothing live and writes down what is to be done; `commit` and `rollback` work from that alone,
 * in another process too, after a crash in the middle of themselves.
 */
export function openRestore({ paths, stageBeside }: RestoreTarget, path: string): RestoreSession {
  const live = resolve(paths.memory, path);
  const name = basename(live);
  return {
    claims: [{ path: live, scope: "path" }],

    async stage(entries, omitted, { signal } = {}) {
      signal?.throwIfAborted();
      const folder = await stageBeside(dirname(live));
      const [staged, undo] = [join(folder, "new"), join(folder, "old")];
      const there = await lookAt(live);
      for await (const { meta, file } of entries) {
        if (file === undefined) continue; // it never captures anything but a file
        if (await isAlready(live, meta)) return planOf([], []);
        await copyFile(file, staged);
        const before = there === undefined ? null : attributesOf(there);
        const steps: SwapStep[] = [
          { do: "put", live, staged, undo },
          { do: "set", live, to: { mode: meta.mode, mtimeMs: meta.mtimeMs }, before },
        ];
        if ((await lookAt(dirname(live))) === undefined) {
          steps.unshift({ do: "make_dir", live: dirname(live), mode: 0o700 });
        }
        return planOf([{ action: there === undefined ? "create" : "replace", path: name }], steps);
      }
      // The snapshot had found no file: so this one goes. One that it had seen and could not read stays.
      if (there === undefined || omitted.length > 0) return planOf([], []);
      return planOf([{ action: "delete", path: name }], [{ do: "remove", live, undo }]);
    },

    commit: ({ data }, { signal } = {}) => applySwap(swapPlanFromJson(data), signal),
    rollback: ({ data }) => revertSwap(swapPlanFromJson(data)),
    // The engine removes the staging folder, and with it the old file.
    finish: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function planOf(changes: readonly PlannedChange[], steps: readonly SwapStep[]): RestorePlan {
  return { changes, data: swapPlanToJson({ steps }), notices: [] };
}

async function isAlready(live: string, meta: ArtifactMeta): Promise<boolean> {
  const stats = await lookAt(live);
  if (stats?.isFile() !== true || !sameAttributes(attributesOf(stats), meta)) return false;
  return (await digestOf(createReadStream(live))).sha256 === meta.sha256;
}
