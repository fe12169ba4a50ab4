import type { ArtifactSource } from "@keepsake/core";
import { SqliteCaptureSession } from "./capture-session.js";
import { discloseSqlite } from "./disclose.js";
import { diffSqlite } from "./diff.js";
import { redactSqlite } from "./redact.js";
import type { SqliteOptions } from "./options.js";
import { SqliteRestoreSession } from "./restore-session.js";

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
    open: (target, op) => SqliteCaptureSession.open(options, target, op),
    openRestore: (target, op) => SqliteRestoreSession.open(options, target, op),
    diff: (before, after, op) => diffSqlite(before, after, op),
    disclose: (staged, op) => discloseSqlite(staged, op),
    redact: (files, policy, op) => redactSqlite(files, policy, op, options.embeddings),
  };
}
