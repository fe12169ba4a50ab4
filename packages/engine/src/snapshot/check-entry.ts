import { KeepsakeError, type SourceEntry } from "@keepsake/core";

type Test = (value: unknown) => boolean;

const isString: Test = (value) => typeof value === "string";
const isBoolean: Test = (value) => typeof value === "boolean";
const isMode: Test = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isTime: Test = (value) => Number.isFinite(value);
const isContent: Test = (value) => {
  if (typeof value !== "object" || value === null) return false;
  if ("file" in value) return isString(value.file);
  if ("bytes" in value) return value.bytes instanceof Uint8Array;
  if ("known" in value) return value.known === true;
  return (
    "stream" in value &&
    typeof value.stream === "object" &&
    value.stream !== null &&
    Symbol.asyncIterator in value.stream
  );
};

const MEMBERS: Readonly<Record<SourceEntry["type"], Readonly<Record<string, Test>>>> = {
  file: { path: isString, mode: isMode, mtimeMs: isTime, content: isContent },
  directory: { path: isString, mode: isMode, mtimeMs: isTime },
  symlink: { path: isString, target: isString, mtimeMs: isTime },
  omitted: { path: isString, reason: isString },
  absent: { path: isString, required: isBoolean },
};

/**
 * Refuses an entry that is not what the port asks for, and says what about it is wrong: the source may be anybody's.
 *
 * @throws KeepsakeError `E_PLUGIN_FAILED`
 */
export function checkEntry(entry: unknown, source: string): void {
  const problem = problemOf(entry);
  if (problem === undefined) return;
  throw new KeepsakeError("E_PLUGIN_FAILED", `The source ${source} brought an entry ${problem}.`, {
    context: { source },
  });
}

function problemOf(entry: unknown): string | undefined {
  if (typeof entry !== "object" || entry === null)
    return `that is no object (${entry === null ? "null" : typeof entry})`;
  const { type } = entry as { readonly type?: unknown };
  const types = Object.keys(MEMBERS);
  if (typeof type !== "string" || !types.includes(type)) return `whose type is none of ${types.join(", ")}`;
  const wrong = Object.entries(MEMBERS[type as SourceEntry["type"]])
    .filter(([name, test]) => !test(Reflect.get(entry, name)))
    .map(([name]) => name);
  return wrong.length === 0 ? undefined : `of the type ${type} whose ${wrong.join(", ")} is missing or wrong`;
}
