import { type HashKind, isOid } from "../objects/hash-kind.js";
import { type FileMap, readGitText } from "./file-map.js";

/** Where HEAD points. */
export interface Head {
  /** the ref that HEAD names ("refs/heads/main"); undefined when it is detached */
  readonly ref: string | undefined;
  /** undefined when the branch is not born yet, or HEAD is malformed */
  readonly oid: string | undefined;
}

/** All refs and HEAD of one repository. */
export interface Refs {
  readonly head: Head;
  /** full name → object id; symbolic refs are resolved */
  readonly byName: ReadonlyMap<string, string>;
  /** refs whose file is malformed, or that point to a name that is not there */
  readonly broken: readonly string[];
}

const SYMBOLIC = /^ref:\s*(\S+)\s*$/;
const DEEPEST = 5;

/** Reads HEAD, loose refs and packed-refs. */
export function readRefs(files: FileMap, kind: HashKind): Refs {
  const raw = rawRefs(files, kind);
  const byName = new Map<string, string>();
  const broken: string[] = [];
  for (const name of raw.keys()) {
    const oid = resolve(raw, name, kind);
    if (oid === undefined) broken.push(name);
    else byName.set(name, oid);
  }
  return { head: readHead(readGitText(files, "HEAD"), byName, kind), byName, broken: broken.sort() };
}

function rawRefs(files: FileMap, kind: HashKind): Map<string, string> {
  const raw = new Map<string, string>();
  for (const line of (readGitText(files, "packed-refs") ?? "").split("\n")) {
    const oid = line.slice(0, kind.bytes * 2);
    if (isOid(oid, kind) && line[kind.bytes * 2] === " ") raw.set(line.slice(kind.bytes * 2 + 1).trimEnd(), oid);
  }
  for (const path of files.keys()) {
    if (path.startsWith("refs/")) raw.set(path, (readGitText(files, path) ?? "").trim());
  }
  return raw;
}

function resolve(raw: ReadonlyMap<string, string>, name: string, kind: HashKind): string | undefined {
  let value = raw.get(name);
  for (let depth = 0; value !== undefined && depth < DEEPEST; depth++) {
    const target = SYMBOLIC.exec(value)?.[1];
    if (target === undefined) return isOid(value, kind) ? value : undefined;
    value = raw.get(target);
  }
  return undefined;
}

/** What the text of a HEAD file means among these refs. */
export function readHead(text: string | undefined, refs: ReadonlyMap<string, string>, kind: HashKind): Head {
  const trimmed = (text ?? "").trim();
  const ref = SYMBOLIC.exec(trimmed)?.[1];
  if (ref !== undefined) return { ref, oid: refs.get(ref) };
  return { ref: undefined, oid: isOid(trimmed, kind) ? trimmed : undefined };
}
