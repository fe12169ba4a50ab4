import type { TableInfo } from "../names.js";

const RTREE = /^(node|rowid|parent)$/;
const FTS4 = /^(content|segments|segdir|docsize|stat)$/;

/** What modules call the tables in which they keep their data, after `<virtual table>_`. */
const SUFFIXES: ReadonlyMap<string, RegExp> = new Map([
  ["fts5", /^(data|idx|content|docsize|config)$/],
  ["fts4", FTS4],
  ["fts3", FTS4],
  ["rtree", RTREE],
  ["rtree_i32", RTREE],
  ["geopoly", RTREE],
  ["vec0", /^(info|chunks|rowids|auxiliary|vector_chunks\d\d|metadatachunks\d\d|metadatatext\d\d)$/],
  ["spellfix1", /^vocab$/],
  ["fts5vocab", /^$/],
  ["fts4aux", /^$/],
  ["dbstat", /^$/],
]);

/** With this option the text is in a table of the user's, which may well be called `<virtual table>_content`. */
const EXTERNAL_CONTENT = /[(,]\s*content\s*=/i;

/**
 * The tables behind each virtual table: name of the virtual table → lower-case suffix → name. Of a module that is not
 * known, every table that begins with `<virtual table>_` is taken for one of its own.
 */
export function shadowsOf(tables: readonly TableInfo[]): Map<string, Map<string, string>> {
  // The longest name first: "notes_fts_data" belongs to "notes_fts", not to "notes".
  const virtual = tables.filter(({ module }) => module !== undefined).sort((a, b) => b.name.length - a.name.length);
  const found = new Map(virtual.map(({ name }) => [name, new Map<string, string>()]));
  for (const { name, module } of tables) {
    if (module !== undefined) continue;
    for (const owner of virtual) {
      const suffix = suffixOf(name, owner);
      if (suffix === undefined) continue;
      found.get(owner.name)?.set(suffix, name);
      break;
    }
  }
  return found;
}

function suffixOf(name: string, { name: owner, module = "", sql }: TableInfo): string | undefined {
  const lower = name.toLowerCase();
  if (!lower.startsWith(`${owner.toLowerCase()}_`)) return undefined;
  const suffix = lower.slice(owner.length + 1);
  const known = SUFFIXES.get(module.toLowerCase());
  if (known === undefined) return suffix;
  if (suffix === "content" && EXTERNAL_CONTENT.test(sql)) return undefined;
  return known.test(suffix) ? suffix : undefined;
}
