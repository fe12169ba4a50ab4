import { type HashKind, isOid } from "../objects/hash-kind.js";
import { type ContentRedactor, viaText } from "./content-redactor.js";
import type { RefNames } from "./ref-names.js";
import { redactPerson } from "./rewrite-commit.js";

/** How the files of a git directory are rewritten that are neither objects nor an index. */
export interface StateContext {
  readonly kind: HashKind;
  readonly redactor: ContentRedactor;
  readonly refs: RefNames;
  readonly oidOf: (oid: string) => string;
}

const WORKTREE = /^worktrees\/[^/]+\//;
const REF = /^(?:HEAD|refs\/.+)$/s;
const SYMBOLIC = /^(ref:\s*)(\S+)(\s*)$/;
/** Kept conflict resolutions and what git computes anew: they hold old texts and ids. */
const NOT_CARRIED = /^(?:rr-cache\/|info\/refs$|objects\/)/;

/** True for what a rewritten repository does without. */
export function isDropped(path: string): boolean {
  return NOT_CARRIED.test(path.replace(WORKTREE, ""));
}

/** The path that a file of a git directory has now. */
export function rewriteStatePath(path: string, { refs, oidOf }: StateContext): string {
  const worktree = WORKTREE.exec(path)?.[0] ?? "";
  const inner = path.slice(worktree.length);
  const logs = inner.startsWith("logs/") ? "logs/" : "";
  const name = inner.slice(logs.length);
  if (!name.startsWith("refs/")) return path;
  return worktree + logs + renamedRef(name, refs, oidOf);
}

/** A ref's name now; that of a replacement is the id of what it replaces. */
export function renamedRef(name: string, refs: RefNames, oidOf: (oid: string) => string): string {
  const replaced = /^refs\/replace\/([0-9a-f]+)$/.exec(name)?.[1];
  return replaced === undefined ? refs.of(name) : `refs/replace/${oidOf(replaced)}`;
}

/**
 * Rewrites such a file.
 *
 * @returns the very bytes that were given where nothing changed; undefined for what is no text
 */
export async function rewriteState(path: string, bytes: Buffer, context: StateContext): Promise<Buffer | undefined> {
  const inner = path.replace(WORKTREE, "");
  if (REF.test(inner)) return viaText(bytes, (text) => rewriteRef(text, context));
  if (inner === "packed-refs") return viaText(bytes, (text) => rewritePackedRefs(text, context));
  if (inner.startsWith("logs/")) return viaText(bytes, (text) => rewriteReflog(text, context));
  const named = viaText(bytes, (text) => context.refs.within(text));
  const redacted = await context.redactor.document(named, `git/${path}`);
  return redacted && viaText(redacted, (text) => withOids(text, context));
}

function rewriteRef(text: string, context: StateContext): string {
  const symbolic = SYMBOLIC.exec(text);
  if (symbolic === null) return withOids(text, context);
  const [, before = "", name = "", after = ""] = symbolic;
  return before + context.refs.of(name) + after;
}

function withOids(text: string, { kind, oidOf }: StateContext): string {
  const pattern =
    kind.bytes === 20 ? /(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/g : /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;
  return text.replaceAll(pattern, (oid) => oidOf(oid));
}

/** Each ref in a line, after it what a tag leads to; sorted by name, as the first line says. */
function rewritePackedRefs(text: string, context: StateContext): string {
  const head: string[] = [];
  const refs: { name: string; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const oid = line.slice(0, context.kind.bytes * 2);
    if (line.startsWith("^")) refs.at(-1)?.lines.push(`^${context.oidOf(line.slice(1).trimEnd())}`);
    else if (isOid(oid, context.kind)) {
      const name = renamedRef(line.slice(oid.length + 1).trimEnd(), context.refs, context.oidOf);
      refs.push({ name, lines: [`${context.oidOf(oid)} ${name}`] });
    } else if (line !== "") head.push(line);
  }
  refs.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return [...head, ...refs.flatMap(({ lines }) => lines), ""].join("\n");
}

/** `<old id> <new id> <who> <when>\t<what>` a line. */
function rewriteReflog(text: string, context: StateContext): string {
  const line = new RegExp(`^([0-9a-f]{${String(context.kind.bytes * 2)}}) ([0-9a-f]+) ([^\\t]*)(.*)$`, "s");
  return text
    .split("\n")
    .map((one) => {
      const match = line.exec(one);
      if (match === null) return one === "" ? one : context.redactor.line(one, "git/reflog");
      const [, from = "", to = "", who = "", what = ""] = match;
      const person = redactPerson(who, (text) => context.redactor.line(text, "git/person"));
      const message = context.redactor.line(context.refs.within(what), "git/reflog");
      return `${context.oidOf(from)} ${context.oidOf(to)} ${person}${withOids(message, context)}`;
    })
    .join("\n");
}
