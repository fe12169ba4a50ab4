import type { ArtifactReader, BundleEntry, DiffItem, JsonObject, OpOptions, SourceDiff } from "@keepsake/core";
import { bytesOfEntry } from "@keepsake/files";
import { diffLines } from "diff";

/** Larger files are said to differ, by their sizes; their lines are not counted. In bytes. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
/** More edits than this are not traced one by one: what is left would take minutes. */
const MAX_EDITS = 20_000;

interface Lines {
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

/**
 * Files, links and folders that differ between two bundles, with lines counted where both are text. A difference of times
 * alone is none.
 */
export async function diffMemory(
  before: ArtifactReader,
  after: ArtifactReader,
  { signal }: OpOptions = {},
): Promise<SourceDiff> {
  const old = new Map(before.entries.map((entry) => [entry.path, entry]));
  const now = new Map(after.entries.map((entry) => [entry.path, entry]));
  const items: DiffItem[] = [];
  for (const path of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    signal?.throwIfAborted();
    const item = await diffOne(path, old.get(path), now.get(path));
    if (item !== undefined) items.push(item);
  }
  return { items, summary: summaryOf(items) };
}

async function diffOne(path: string, a?: BundleEntry, b?: BundleEntry): Promise<DiffItem | undefined> {
  if (a === undefined && b !== undefined) return { path, change: "added", details: await wholeOf(b, "linesAdded") };
  if (b === undefined && a !== undefined) return { path, change: "removed", details: await wholeOf(a, "linesRemoved") };
  if (a === undefined || b === undefined) return undefined;
  const details = { ...attributesChange(a, b), ...(await contentChange(a, b)) };
  return Object.keys(details).length === 0 ? undefined : { path, change: "changed", details };
}

async function wholeOf(entry: BundleEntry, lines: keyof Lines): Promise<JsonObject> {
  const { type, sizeBytes, linkTarget } = entry.meta;
  if (type === "directory") return { type };
  if (type === "symlink") return { type, target: linkTarget ?? "" };
  const text = await textOf(entry);
  return { type, sizeBytes, ...(text === undefined ? {} : { [lines]: countLines(text) }) };
}

function attributesChange(a: BundleEntry, b: BundleEntry): JsonObject {
  if (a.meta.type !== b.meta.type) return { typeBefore: a.meta.type, typeAfter: b.meta.type };
  if (a.meta.mode === b.meta.mode || a.meta.type === "symlink") return {};
  return { modeBefore: octal(a.meta.mode), modeAfter: octal(b.meta.mode) };
}

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

async function contentChange(a: BundleEntry, b: BundleEntry): Promise<JsonObject> {
  if (a.meta.linkTarget !== b.meta.linkTarget && a.meta.type === b.meta.type) {
    return { targetBefore: a.meta.linkTarget ?? "", targetAfter: b.meta.linkTarget ?? "" };
  }
  if (a.meta.sha256 === b.meta.sha256 && a.meta.sizeBytes === b.meta.sizeBytes) return {};
  if (a.meta.type !== "file" && b.meta.type !== "file") return {};
  const sizes = { sizeBytesBefore: a.meta.sizeBytes, sizeBytesAfter: b.meta.sizeBytes };
  const lines = a.meta.type === b.meta.type ? linesBetween(await textOf(a), await textOf(b)) : undefined;
  return { ...sizes, ...lines };
}

function linesBetween(a: string | undefined, b: string | undefined): Lines | undefined {
  if (a === undefined || b === undefined) return undefined;
  const changes = diffLines(a, b, { maxEditLength: MAX_EDITS });
  if (changes === undefined) return undefined;
  const count = (wanted: "added" | "removed"): number =>
    changes.reduce((sum, change) => sum + (change[wanted] ? change.count : 0), 0);
  return { linesAdded: count("added"), linesRemoved: count("removed") };
}

/** A file's text; undefined when it is too large, no UTF-8, holds a NUL, or was not unpacked. */
async function textOf(entry: BundleEntry): Promise<string | undefined> {
  if (entry.meta.type !== "file" || entry.meta.sizeBytes > MAX_TEXT_BYTES) return undefined;
  const bytes = await bytesOfEntry(entry);
  if (bytes === undefined || bytes.includes(0)) return undefined;
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}

function countLines(text: string): number {
  if (text === "") return 0;
  const newlines = text.split("\n").length - 1;
  return text.endsWith("\n") ? newlines : newlines + 1;
}

function summaryOf(items: readonly DiffItem[]): JsonObject {
  const files = items.filter(({ details }) => details?.["type"] !== "directory");
  const many = (change: DiffItem["change"]): number => files.filter((item) => item.change === change).length;
  const total = (key: keyof Lines): number =>
    items.reduce((sum, { details }) => sum + (typeof details?.[key] === "number" ? details[key] : 0), 0);
  return {
    filesAdded: many("added"),
    filesRemoved: many("removed"),
    filesChanged: many("changed"),
    linesAdded: total("linesAdded"),
    linesRemoved: total("linesRemoved"),
  };
}
