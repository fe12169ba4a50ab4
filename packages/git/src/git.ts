import { resolve } from "node:path";
import type { ArtifactSource } from "@keepsake/core";
import type { GitHistory } from "./redact/redact-git.js";
import { discoverRepositories } from "./repository/discover.js";

/** How the git source is set up. */
export interface GitOptions {
  /** its folder in the bundle; default "git" */
  readonly id?: string | undefined;
  /** the folder whose repository is captured, relative to the memory directory; default the memory directory itself */
  readonly root?: string | undefined;
  /** whether repositories in the folders below are captured, too; default true */
  readonly nested?: boolean | undefined;
  /** whether a snapshot without a repository is incomplete; default false */
  readonly required?: boolean | undefined;
  /** what a redaction does: default "rewrite" the history without its secrets; "omit" it; "keep" it as it is */
  readonly history?: GitHistory | undefined;
  /** whether a redaction that rewrites the history tells the ids that its objects had: in encrypted bundles only; default false */
  readonly oidMap?: boolean | undefined;
}

/**
 * Captures git repositories so that they are consistent although commits, repacks and garbage collections go on. It needs
 * no git program.
 */
export function git(options: GitOptions = {}): ArtifactSource {
  const { id = "git", root = ".", nested = true, required = false, history = "rewrite", oidMap = false } = options;
  return {
    id,
    kind: "git_bundle",
    takes: "own",
    content: "opaque",
    restores: "part",
    redacts: "whole",
    ...(oidMap && history === "rewrite" ? { redactionIsPrivate: true } : {}),
    required,
    open: async (target, { signal } = {}) => {
      const folder = resolve(target.paths.memory, root);
      const places = await discoverRepositories(folder, { nested, signal });
      const { GitCaptureSession } = await import("./capture/capture-session.js");
      return await GitCaptureSession.open(target, folder, places, required);
    },
    openRestore: async (target, { signal } = {}) => {
      const folder = resolve(target.paths.memory, root);
      const { GitRestoreSession } = await import("./restore/restore-session.js");
      return await GitRestoreSession.open(id, folder, target, await discoverRepositories(folder, { nested, signal }));
    },
    async *disclose(artifact, op) {
      const { discloseObjects } = await import("./redact/disclose-objects.js");
      yield* discloseObjects(artifact, op);
    },
    async redact(staged, policy, op) {
      const { redactGit } = await import("./redact/redact-git.js");
      return await redactGit(staged, policy, { sourceId: id, history, root, oidMap }, op);
    },
    async *trace(staged, places, op) {
      const { traceHistory } = await import("./redact/trace-history.js");
      yield* traceHistory(staged, places, { sourceId: id, root }, op);
    },
    async diff(before, after, { signal } = {}) {
      const { diffRepositories } = await import("./diff/diff-repositories.js");
      return await diffRepositories(before, after, signal);
    },
  };
}
