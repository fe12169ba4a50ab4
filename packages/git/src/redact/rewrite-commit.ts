import type { ContentRedactor } from "./content-redactor.js";

/** What a rewritten commit or tag is. */
export interface Rewritten {
  /** the very bytes that were given where nothing changed */
  readonly data: Buffer;
  /** a signature was in it, of what it no longer is */
  readonly lostSignature: boolean;
  /** the message is no text and was left as it is */
  readonly isUnscanned: boolean;
}

/** How a commit or tag is rewritten. */
export interface RewriteContext {
  readonly redactor: ContentRedactor;
  /** the id that an object has now */
  readonly oidOf: (oid: string) => string;
  /** the name that a tag has now */
  readonly tagNameOf: (name: string) => string;
}

const SIGNATURES = new Set(["gpgsig", "gpgsig-sha256"]);
const SIGNATURE_IN_MESSAGE = /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$/m;

/** A header of an object: its key, and its value with the continuation lines as they stand. */
interface Header {
  readonly key: string;
  readonly value: string;
}

/**
 * Rewrites a commit or a tag (source: git's Documentation/gitformat-signature.txt, git-hash-object(1)): ids of what it points
 * to, the names and addresses of people, the message. What changed loses its signature, and a merged tag's.
 */
export async function rewriteCommitOrTag(
  data: Buffer,
  type: "commit" | "tag",
  context: RewriteContext,
): Promise<Rewritten> {
  const end = data.indexOf("\n\n");
  // Every byte a character, so that names in any code come back as they were.
  const headers = parseHeaders(data.toString("latin1", 0, end < 0 ? data.length : end));
  const message = end < 0 ? Buffer.alloc(0) : data.subarray(end + 2);
  const changed = headers.map((header) => ({ ...header, value: rewriteValue(header, type, context) }));
  const redacted = await context.redactor.document(message, `git/${type}`);
  const sameHeaders = changed.every(({ value }, index) => value === headers[index]?.value);
  const isUnscanned = redacted === undefined;
  if (sameHeaders && (redacted === undefined || redacted === message))
    return { data, lostSignature: false, isUnscanned };
  const kept = changed.filter(({ key }) => !SIGNATURES.has(key) && key !== "mergetag");
  const newMessage = type === "tag" ? withoutSignature(redacted ?? message) : (redacted ?? message);
  const lines = kept.map(({ key, value }) => `${key} ${value}\n`).join("");
  const lostSignature = kept.length < headers.length || newMessage.length < (redacted ?? message).length;
  const parts = end < 0 ? [Buffer.from(lines, "latin1")] : [Buffer.from(`${lines}\n`, "latin1"), newMessage];
  return { data: Buffer.concat(parts), lostSignature, isUnscanned };
}

function parseHeaders(text: string): Header[] {
  const headers: { key: string; value: string }[] = [];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const last = headers.at(-1);
    if (line.startsWith(" ") && last !== undefined) {
      last.value += `\n${line}`;
      continue;
    }
    const space = line.indexOf(" ");
    headers.push(space < 0 ? { key: line, value: "" } : { key: line.slice(0, space), value: line.slice(space + 1) });
  }
  return headers;
}

function rewriteValue({ key, value }: Header, type: "commit" | "tag", context: RewriteContext): string {
  switch (key) {
    case "tree":
    case "parent":
    case "object":
      return context.oidOf(value);
    case "author":
    case "committer":
    case "tagger":
      return redactPerson(value, (text) => redactBytes(text, context.redactor, "git/person"));
    case "tag":
      return type === "tag" ? renamedTag(value, context) : value;
    case "type":
    case "encoding":
    case "gpgsig":
    case "gpgsig-sha256":
      return value;
    case "mergetag":
      return mergedTagIsSame(value, context) ? value : "";
    default:
      return redactBytes(value, context.redactor, "git/header");
  }
}

/** `Name <address> seconds zone`: the parts alone, so that nothing takes the brackets away. */
export function redactPerson(person: string, redact: (text: string) => string): string {
  const match = /^([^<>]*)<([^<>]*)>(.*)$/s.exec(person);
  if (match === null) return redact(person);
  const [, name = "", address = "", rest = ""] = match;
  const part = (text: string): string => (text.trim() === "" ? text : redact(text).replaceAll(/[<>\n]/g, ""));
  return `${part(name)}<${part(address)}>${rest}`;
}

function mergedTagIsSame(value: string, context: RewriteContext): boolean {
  const target = /^object ([0-9a-f]+)/.exec(value)?.[1] ?? "";
  return context.oidOf(target) === target && context.redactor.line(value, "git/tag") === value;
}

function withoutSignature(message: Buffer): Buffer {
  const at = SIGNATURE_IN_MESSAGE.exec(message.toString("latin1"))?.index;
  return at === undefined ? message : message.subarray(0, at);
}

/** A value whose bytes stand as characters of the same number. */
function redactBytes(value: string, redactor: ContentRedactor, path: string): string {
  return redactor.lineBytes(Buffer.from(value, "latin1"), path).toString("latin1");
}

function renamedTag(value: string, context: RewriteContext): string {
  const name = Buffer.from(value, "latin1").toString("utf8");
  const renamed = context.tagNameOf(name);
  return renamed === name ? value : Buffer.from(renamed, "utf8").toString("latin1");
}
