import { type HashKind, isOid, isZeroOid } from "../objects/hash-kind.js";
import { type FileMap, readGitFile, readGitText } from "./file-map.js";
import { indexedBlobs, parseIndex } from "./index-file.js";
import { readRefs } from "./refs.js";

/** Where the objects that a repository needs begin. */
export interface Roots {
  /** refs, HEADs of the repository and of its worktrees, and what a merge or the like in progress names */
  readonly required: ReadonlySet<string>;
  /** blobs that an index lists: present, but not followed */
  readonly indexed: ReadonlySet<string>;
  /** reflogs, FETCH_HEAD, ORIG_HEAD and the like: git itself lets their objects go one day */
  readonly remembered: ReadonlySet<string>;
}

const IN_PROGRESS = /^(?:worktrees\/[^/]+\/)?(?:MERGE_HEAD|CHERRY_PICK_HEAD|REVERT_HEAD|REBASE_HEAD|BISECT_HEAD)$/;
const REMEMBERED =
  /^(?:worktrees\/[^/]+\/)?(?:[A-Z_]*_HEAD|AUTO_MERGE|rebase-(?:merge|apply)\/[a-z-]+|sequencer\/[a-z-]+)$/;
const INDEX = /^(?:worktrees\/[^/]+\/)?(?:index|sharedindex\.[0-9a-f]+)$/;
const REFLOG = /^(?:worktrees\/[^/]+\/)?logs\//;
const WORKTREE_REF = /^worktrees\/[^/]+\/(?:HEAD|refs\/.+)$/;

/** Finds them in the files of a git directory. */
export function readRoots(files: FileMap, kind: HashKind): Roots {
  const refs = readRefs(files, kind);
  const required = new Set(refs.byName.values());
  const indexed = new Set<string>();
  const remembered = new Set<string>();
  if (refs.head.oid !== undefined) required.add(refs.head.oid);
  for (const path of files.keys()) {
    if (IN_PROGRESS.test(path) || WORKTREE_REF.test(path)) addLeading(required, readGitText(files, path), kind);
    else if (REMEMBERED.test(path)) addLeading(remembered, readGitText(files, path), kind);
    else if (REFLOG.test(path)) addReflog(remembered, readGitText(files, path), kind);
    else if (INDEX.test(path)) addIndex(indexed, remembered, readGitFile(files, path), kind);
  }
  return { required, indexed, remembered };
}

/** Ids at the beginnings of lines. */
function addLeading(into: Set<string>, text: string | undefined, kind: HashKind): void {
  for (const line of (text ?? "").split("\n")) {
    const oid = line.slice(0, kind.bytes * 2);
    const next = line[kind.bytes * 2] ?? "";
    if (isOid(oid, kind) && !/[0-9a-f]/.test(next)) into.add(oid);
  }
}

/** `<old id> <new id> <who> <when>\t<what>` a line; an id of zeros is none. */
function addReflog(into: Set<string>, text: string | undefined, kind: HashKind): void {
  const width = kind.bytes * 2;
  for (const line of (text ?? "").split("\n")) {
    for (const oid of [line.slice(0, width), line.slice(width + 1, width * 2 + 1)]) {
      if (isOid(oid, kind) && !isZeroOid(oid)) into.add(oid);
    }
  }
}

function addIndex(blobs: Set<string>, trees: Set<string>, bytes: Buffer | undefined, kind: HashKind): void {
  const index = bytes === undefined ? undefined : parseIndex(bytes, kind);
  if (index === undefined) return;
  for (const oid of indexedBlobs(index)) blobs.add(oid);
  for (const oid of index.cachedTrees) trees.add(oid);
}
