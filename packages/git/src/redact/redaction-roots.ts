import { type HashKind, isZeroOid } from "../objects/hash-kind.js";
import { MODE_GITLINK } from "../objects/parse.js";
import { type FileMap, readGitFile, readGitText } from "../repository/file-map.js";
import { parseIndex } from "../repository/index-file.js";
import { readRefs } from "../repository/refs.js";
import { readRoots } from "../repository/roots.js";

/** Where a rewrite begins. */
export interface RedactionRoot {
  readonly oid: string;
  /** of a file that an index lists; "" for the rest */
  readonly path: string;
  /** a commit of git-notes(1) */
  readonly isNote: boolean;
}

const INDEX = /^(?:worktrees\/[^/]+\/)?(?:index|sharedindex\.[0-9a-f]+)$/;

/**
 * HEAD first, then the index: what is the same in many commits is looked at under the path that it has in the working tree.
 * Notes last: they name commits by the ids that those have then. Always in one order.
 */
export function redactionRoots(files: FileMap, kind: HashKind): readonly RedactionRoot[] {
  const { head, byName } = readRefs(files, kind);
  const roots = readRoots(files, kind);
  const notes = noteCommits(files, byName, kind);
  const others = [...[...roots.required].sort(), ...[...roots.remembered].sort()].filter((oid) => !notes.has(oid));
  const plain = (oid: string): RedactionRoot => ({ oid, path: "", isNote: false });
  return [
    ...(head.oid === undefined ? [] : [plain(head.oid)]),
    ...[...files.keys()].filter((path) => INDEX.test(path)).flatMap((path) => indexed(files, path, kind)),
    ...others.map(plain),
    ...[...notes].sort().map((oid) => ({ oid, path: "", isNote: true })),
  ];
}

function indexed(files: FileMap, path: string, kind: HashKind): readonly RedactionRoot[] {
  const bytes = readGitFile(files, path);
  const entries = (bytes === undefined ? undefined : parseIndex(bytes, kind))?.entries ?? [];
  return entries
    .filter(({ mode, oid }) => (mode & 0o170000) !== MODE_GITLINK && !isZeroOid(oid))
    .map((entry) => ({ oid: entry.oid, path: entry.path, isNote: false }));
}

function noteCommits(files: FileMap, refs: ReadonlyMap<string, string>, kind: HashKind): ReadonlySet<string> {
  const notes = new Set([...refs].flatMap(([name, oid]) => (name.startsWith("refs/notes/") ? [oid] : [])));
  const width = kind.bytes * 2;
  for (const path of files.keys()) {
    if (!/(?:^|\/)logs\/refs\/notes\//.test(path)) continue;
    for (const line of (readGitText(files, path) ?? "").split("\n"))
      for (const oid of [line.slice(0, width), line.slice(width + 1, width * 2 + 1)])
        if (oid.length === width && !isZeroOid(oid)) notes.add(oid);
  }
  return notes;
}
