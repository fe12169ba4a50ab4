import { connect } from "../capture/connection.js";
import { quoted, tablesOf } from "../names.js";
import { isUnknownPart } from "../sqlite-error.js";
import { isFullText } from "./full-text.js";
import type { IndexWords, WordPlace } from "./protocol.js";

/** How many words are handed over at once. */
const BATCH = 20_000;

/**
 * The words of the full-text indexes of a database. An index keeps of a word only what differs from the one before it, so that
 * its pages do not show it whole; SQLite tells it (`fts5vocab`, `fts4aux`).
 *
 * @param after where the batch before this one ended
 */
export function indexWords(file: string, after: WordPlace | null): IndexWords {
  const connection = connect(file, "read");
  try {
    const indexes = tablesOf(connection).filter(isFullText);
    for (let table = after?.table ?? 0; table < indexes.length; table++) {
      const index = indexes[table];
      if (index === undefined) break;
      const from = table === after?.table ? after.word : "";
      const words = wordsOf(connection, index.name, index.module ?? "", from);
      const last = words.at(-1);
      if (last === undefined) continue;
      const next = words.length < BATCH ? { table: table + 1, word: "" } : { table, word: last };
      return { words: words.join("\n"), next };
    }
    return { words: "" };
  } finally {
    connection.close();
  }
}

function wordsOf(connection: ReturnType<typeof connect>, name: string, module: string, from: string): string[] {
  const isFts5 = module.toLowerCase() === "fts5";
  try {
    const using = isFts5 ? `fts5vocab('main', ${text(name)}, 'row')` : `fts4aux(main, ${text(name)})`;
    connection.exec(
      `DROP TABLE IF EXISTS temp.keepsake_words; CREATE VIRTUAL TABLE temp.keepsake_words USING ${using}`,
    );
    const all = isFts5 ? "" : "AND col = '*'";
    const sql = `SELECT term FROM temp.${quoted("keepsake_words")} WHERE term > ? ${all} ORDER BY term LIMIT ${String(BATCH)}`;
    return connection.prepare(sql).pluck().all(from) as string[];
  } catch (error) {
    // Its tokenizer or its module is not known here: its pages alone can be read, by others too.
    if (isUnknownPart(error)) return [];
    throw error;
  }
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
