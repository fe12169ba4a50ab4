import type { ArtifactSource } from "@keepsake/core";
import { openCapture } from "./capture.js";
import { openRestore } from "./restore.js";

export interface MySourceOptions {
  /** its folder in the bundle, `[a-z0-9_]{1,64}` */
  readonly id?: string | undefined;
  /** the file; relative to the agent's memory directory, or absolute */
  readonly path: string;
  /** true when a snapshot without it is incomplete; default false */
  readonly required?: boolean | undefined;
}

/** A source for one file that another program keeps: its key-value store as JSON, a list of contacts. */
export function mySource({ id = "my_source", path, required = false }: MySourceOptions): ArtifactSource {
  return {
    id,
    kind: "my-source/file",
    required,
    async open({ paths }, { signal } = {}) {
      signal?.throwIfAborted();
      return openCapture(paths.memory, path, required);
    },
    async openRestore(target, { signal } = {}) {
      signal?.throwIfAborted();
      return openRestore(target, path);
    },
  };
}
