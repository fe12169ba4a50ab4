import { statSync } from "node:fs";
import type { JsonObject } from "@keepsake/core";
import { checkDatabase } from "../check.js";
import { HEADER_BYTES, isWalHeader, readStart, setWalHeader } from "../header.js";
import { countRows } from "../row-counts.js";
import { isDamage } from "../sqlite-error.js";
import { connect } from "./connection.js";

/** A copy that was looked at: its facts, or what is wrong with it. */
export type FinishedCopy =
  | { readonly sound: true; readonly userVersion: number; readonly facts: JsonObject }
  | { readonly sound: false; readonly detail: string };

/** Makes a copy one that any SQLite reads without a log beside it, checks it and gathers its facts. */
export function finishCopy(file: string): FinishedCopy {
  try {
    const wal = statSync(file).size >= HEADER_BYTES && isWalHeader(readStart(file, HEADER_BYTES));
    if (wal) setWalHeader(file, false);
    return inspect(file, wal);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { sound: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function inspect(file: string, wal: boolean): FinishedCopy {
  const connection = connect(file, "read");
  try {
    const number = (pragma: string): number => connection.pragma(pragma, { simple: true }) as number;
    const { damage, notes } = checkDatabase(connection, "quick");
    if (damage.length > 0) return { sound: false, detail: damage.slice(0, 3).join("; ") };
    const { counts, uncounted } = countRows(connection);
    const userVersion = number("user_version");
    return {
      sound: true,
      userVersion,
      facts: {
        user_version: userVersion,
        journal_mode: wal ? "wal" : "delete",
        page_size: number("page_size"),
        page_count: number("page_count"),
        row_counts: counts,
        ...(uncounted.length === 0 ? {} : { uncounted }),
        ...(notes.length === 0 ? {} : { check_notes: notes }),
      },
    };
  } finally {
    connection.close();
  }
}
