import { createReadStream } from "node:fs";
import { copyFile, open } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { definePlugin, digestOf, errnoOf, sourceProvider } from "@keepsake/core";
import { applySwap, attributesOf, lookAt, revertSwap, sameAttributes } from "@keepsake/files";
import { swapPlanFromJson, swapPlanToJson } from "@keepsake/files";
import { z } from "zod";

/**
 * A source for one file that another program keeps: its key-value store as JSON, a list of contacts.
 *
 * @param {{ id?: string, path: string, required?: boolean }} options `path` is relative to the memory directory, or absolute
 * @returns {import("@keepsake/core").ArtifactSource}
 */
export function oneFile({ id = "one_file", path, required = false }) {
  const name = basename(path);
  const placeIn = (paths) => {
    const live = resolve(paths.memory, path);
    return { live, claims: [{ path: live, scope: "path" }] };
  };

  function openCapture({ paths }) {
    const { live, claims } = placeIn(paths);
    let isClosed = false;
    return {
      claims,
      // Nothing stops the other program from writing: only a fingerprint that stays the same proves one moment.
      pin: async () => "fenced",
      async fence() {
        const stats = await lookAt(live);
        return stats === undefined ? "absent" : `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
      },
      async *entries({ signal } = {}) {
        signal?.throwIfAborted();
        if (isClosed) throw new TypeError("This capture is closed.");
        try {
          const attributes = await attributesOfReadable(live);
          yield { type: "file", path: name, ...attributes, content: { stream: contentOf(live) } };
        } catch (error) {
          if (errnoOf(error) === undefined) throw error;
          if (errnoOf(error) === "ENOENT") yield { type: "absent", path: name, required };
          else yield { type: "omitted", path: name, reason: "unreadable" };
        }
      },
      async [Symbol.asyncDispose]() {
        isClosed = true;
      },
    };
  }

  function openRestore({ paths, stageBeside }) {
    const { live, claims } = placeIn(paths);
    return {
      claims,
      async stage(entries, omitted, { signal } = {}) {
        signal?.throwIfAborted();
        const dir = await stageBeside(dirname(live));
        const places = { live, staged: join(dir, "new"), undo: join(dir, "old") };
        const there = await lookAt(live);
        const [steps, changes] = [[], []];
        for await (const { meta, file } of entries) {
          if (there && (await isAlready(live, there, meta))) return { changes, data: { steps }, notices: [] };
          await copyFile(file, places.staged);
          if ((await lookAt(dirname(live))) === undefined)
            steps.push({ do: "make_dir", live: dirname(live), mode: 0o700 });
          steps.push({ do: "put", ...places });
          steps.push({
            do: "set",
            live,
            to: { mode: meta.mode, mtimeMs: meta.mtimeMs },
            before: there ? attributesOf(there) : null,
          });
          changes.push({ action: there ? "replace" : "create", path: name });
        }
        // The snapshot had looked and found none: so it goes. What it had seen and could not read stays.
        if (there && changes.length === 0 && omitted.length === 0) {
          steps.push({ do: "remove", live, undo: places.undo });
          changes.push({ action: "delete", path: name });
        }
        return { changes, data: swapPlanToJson({ steps }), notices: [] };
      },
      commit: ({ data }, { signal } = {}) => applySwap(swapPlanFromJson(data), signal),
      rollback: ({ data }) => revertSwap(swapPlanFromJson(data)),
      // The engine removes the staging directory, and with it the old file.
      finish: async () => undefined,
      async [Symbol.asyncDispose]() {},
    };
  }

  return {
    id,
    kind: "example/one_file",
    required,
    open: async (target) => openCapture(target),
    openRestore: async (target) => openRestore(target),
  };
}

async function attributesOfReadable(live) {
  const handle = await open(live);
  try {
    return attributesOf(await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

/** Opens it when it is read: a content that nobody asks for leaves nothing open. */
async function* contentOf(live) {
  yield* createReadStream(live);
}

async function isAlready(live, stats, meta) {
  if (!stats.isFile() || !sameAttributes(attributesOf(stats), meta)) return false;
  return (await digestOf(createReadStream(live))).sha256 === meta.sha256;
}

const options = z.strictObject({ path: z.string().min(1), required: z.boolean().optional() });

export default definePlugin({
  name: "one-file",
  api: 1,
  providers: [sourceProvider("one-file", { options, create: (given, _get, { id }) => oneFile({ ...given, id }) })],
});
