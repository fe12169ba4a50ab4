import type { ArtifactSource } from "@keepsake/core";
import type { SqliteOptions } from "./options.js";

/**
 * Captures SQLite databases while others write to them, and puts them back.
 *
 * Every regular file below `root` that begins like an SQLite database is one, whatever its name. Databases are read in a
 * process of their own. Files of sidecars (`-wal`, `-shm`, `-journal`) belong to their database and are in no bundle.
 */
export function sqlite(options: SqliteOptions = {}): ArtifactSource {
  return {
    id: options.id ?? "sqlite",
    kind: "sqlite",
    content: "opaque",
    restores: "part",
    required: (options.required?.length ?? 0) > 0,
    async open(target, op) {
      const { SqliteCaptureSession } = await import("./capture-session.js");
      return await SqliteCaptureSession.open(options, target, op);
    },
    async openRestore(target, op) {
      const { SqliteRestoreSession } = await import("./restore-session.js");
      return await SqliteRestoreSession.open(options, target, op);
    },
    async diff(before, after, op) {
      const { diffSqlite } = await import("./diff.js");
      return await diffSqlite(before, after, op);
    },
    async *disclose(staged, op) {
      const { discloseSqlite } = await import("./disclose.js");
      yield* discloseSqlite(staged, op);
    },
    async redact(files, policy, op) {
      const { redactSqlite } = await import("./redact.js");
      return await redactSqlite(files, policy, op, options.embeddings);
    },
  };
}
