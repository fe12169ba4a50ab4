import type { ArtifactSource } from "@keepsake/core";
import { MemdirCapture } from "./capture.js";
import { type MemdirOptions, resolveOptions } from "./options.js";
import { findRoot, realClaims } from "./root.js";
import { scopeOf } from "./scope.js";

/**
 * Every file, folder and symbolic link of a memory directory that no other source looks after, with modes and times.
 *
 * A restore touches what a snapshot taken now would capture, and nothing else: claimed and excluded paths, sockets, links
 * that lead out, and what the snapshot had seen and not captured stay as they are.
 */
export function memdir(options: MemdirOptions = {}): ArtifactSource {
  const resolved = resolveOptions(options);
  return {
    id: resolved.id,
    kind: "memory_file",
    takes: "remainder",
    content: "text",
    restores: "part",
    required: resolved.required,
    async open(target) {
      const root = await findRoot(target.paths.memory, resolved.root);
      const claims = await realClaims(target.claimed, target.paths.memory);
      return new MemdirCapture(target, root, scopeOf(resolved, claims), resolved);
    },
    async openRestore(target) {
      const root = await findRoot(target.paths.memory, resolved.root);
      const claims = await realClaims(target.claimed, target.paths.memory);
      const { MemdirRestore } = await import("./restore.js");
      return new MemdirRestore(target, root, scopeOf(resolved, claims), resolved, claims);
    },
    async diff(before, after, op) {
      const { diffMemory } = await import("./diff.js");
      return await diffMemory(before, after, op);
    },
  };
}
