import { type FileHandle, open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { abortable, type CaptureSession, errnoOf } from "@keepsake/core";
import { attributesOf, lookAt } from "@keepsake/files";

/** One capture: looks at the file, and shows that it did not move meanwhile. */
export function openCapture(memory: string, path: string, required: boolean): CaptureSession {
  const live = resolve(memory, path);
  const name = basename(live);
  let isClosed = false;
  return {
    // Nobody else captures this file, nor removes it in a restore.
    claims: [{ path: live, scope: "path" }],

    // Nothing stops the other program from writing: only a fingerprint that stays the same proves one moment.
    async pin({ signal } = {}) {
      signal?.throwIfAborted();
      return "fenced";
    },
    async fence() {
      const stats = await lookAt(live);
      if (stats === undefined) return "absent";
      return [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(" ");
    },

    async *entries({ signal } = {}) {
      signal?.throwIfAborted();
      if (isClosed) throw new TypeError("This capture is closed.");
      let handle: FileHandle;
      try {
        handle = await open(live);
      } catch (error) {
        // One file that cannot be read is told in the manifest; everything else must still be captured.
        if (errnoOf(error) === undefined) throw error;
        if (errnoOf(error) === "ENOENT") yield { type: "absent", path: name, required };
        else yield { type: "omitted", path: name, reason: "unreadable" };
        return;
      }
      await using _closed = { [Symbol.asyncDispose]: () => handle.close() };
      const attributes = attributesOf(await handle.stat({ bigint: true }));
      const stream = abortable(handle.createReadStream({ autoClose: false }), signal);
      yield { type: "file", path: name, ...attributes, content: { stream } };
    },

    async [Symbol.asyncDispose]() {
      isClosed = true;
    },
  };
}
