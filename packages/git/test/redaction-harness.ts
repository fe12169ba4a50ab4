import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ArtifactReader,
  type BundleEntry,
  type Finding,
  redactDocument,
  type RedactionOutcome,
  type RedactionPolicy,
  sha256Hex,
} from "@keepsake/core";
import { git, type GitOptions } from "../src/index.js";
import { type Captured, capture, extract, freshDir, run } from "./harness.js";

const RULES: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ["acme_key", /acme_[a-z0-9]{20}/g],
  ["url_password", /(?<=:\/\/[^:/\s]+:)[^@\s[\]]+(?=@)/g],
];

/** Two rules are enough to tell whether what a policy finds is gone. */
export const POLICY: RedactionPolicy = {
  id: "test",
  rules: RULES.map(([rule]) => rule),
  scan: (text): readonly Finding[] =>
    RULES.flatMap(([rule, pattern]) =>
      [...text.matchAll(pattern)].map((match) => ({ start: match.index, end: match.index + match[0].length, rule })),
    ).sort((a, b) => a.start - b.start),
};

let count = 0;

/** A secret that stands nowhere else. */
export function secret(): string {
  return `acme_${(count++).toString(36).padStart(4, "0")}q7w8e9r1t2y3u4i5`;
}

/** A bundle after its redaction, and what was said of it. */
export interface Redacted extends ArtifactReader {
  readonly outcome: RedactionOutcome;
}

/** Redacts a bundle as an engine does: on copies, with what was made taking the place of what was removed. */
export async function redact(captured: ArtifactReader, options: GitOptions = {}, policy = POLICY): Promise<Redacted> {
  const source = git(options);
  const dir = freshDir();
  const entries = captured.entries.map((entry, number): BundleEntry => {
    if (entry.file === undefined) return entry;
    const file = join(dir, String(number));
    copyFileSync(entry.file, file);
    return { ...entry, file };
  });
  const staged = entries.flatMap(({ meta, file }) => {
    if (file === undefined) return [];
    const { pathInBundle, nameEncoding, facts } = meta;
    return [
      {
        ...{ pathInBundle, file },
        ...(nameEncoding === undefined ? {} : { nameEncoding }),
        ...(facts === undefined ? {} : { facts }),
      },
    ];
  });
  if (source.redact === undefined) throw new Error("no redaction");
  const outcome = await source.redact(staged, policy);
  const removed = new Set(outcome.removed);
  const added = (outcome.added ?? []).map(({ pathInBundle, nameEncoding, file, mode, mtimeMs }): BundleEntry => {
    const bytes = readFileSync(file);
    return {
      path: pathInBundle.slice(source.id.length + 1),
      file,
      meta: {
        ...{ pathInBundle, mode, mtimeMs, kind: source.kind, source: source.id, type: "file" },
        ...{ sizeBytes: bytes.length, sha256: sha256Hex(bytes) },
        ...(nameEncoding === undefined ? {} : { nameEncoding }),
      },
    };
  });
  const kept = entries
    .filter(({ meta }) => !removed.has(meta.pathInBundle))
    .map((entry) => {
      if (entry.file === undefined) return entry;
      const bytes = readFileSync(entry.file);
      return { ...entry, meta: { ...entry.meta, sizeBytes: bytes.length, sha256: sha256Hex(bytes) } };
    });
  const all = [...kept, ...added];
  const paths = all.map(({ path }) => path);
  if (new Set(paths).size !== paths.length) throw new Error("two entries with one path");
  return { omitted: captured.omitted, entries: all, outcome };
}

export async function captureRedacted(
  dir: string,
  options: GitOptions = {},
): Promise<Redacted & { captured: Captured }> {
  const captured = await capture(git(options), dir);
  return { ...(await redact(captured, options)), captured };
}

/** Everything that can be read out of a git directory: each object unpacked, reachable or not, and each other file. */
export function everythingIn(gitDir: string): string {
  const objects = execFileSync(
    "git",
    [`--git-dir=${gitDir}`, `--work-tree=${gitDir}`, "cat-file", "--batch-all-objects", "--batch", "--unordered"],
    { maxBuffer: 1 << 30 },
  ).toString("latin1");
  const files: string[] = [];
  const visit = (dir: string, path: string): void => {
    for (const name of readdirSync(dir)) {
      const file = join(dir, name);
      files.push(`${path}${name}`);
      if (statSync(file).isDirectory()) {
        if (path !== "" || name !== "objects") visit(file, `${path}${name}/`);
      } else files.push(readFileSync(file, "latin1"));
    }
  };
  visit(gitDir, "");
  return objects + files.join("\n");
}

/** The naive way: secrets are replaced in every file of the working tree, and that is committed. */
export function naively(dir: string, secrets: readonly string[]): string {
  const copy = join(freshDir(), "copy");
  cpSync(dir, copy, { recursive: true });
  for (const name of run(copy, "ls-files").split("\n")) {
    const file = join(copy, name);
    let text = readFileSync(file, "latin1");
    for (const found of secrets) text = text.replaceAll(found, "[REDACTED:acme_key]");
    writeFileSync(file, text, "latin1");
  }
  run(copy, "add", "-A");
  run(copy, "commit", "-q", "--allow-empty", "-m", "redact");
  return everythingIn(join(copy, ".git"));
}

/** The memory as a restore of the redacted bundle would leave it: its notes redacted, and `.git` out of the bundle. */
export function workingCopy(dir: string, reader: ArtifactReader): string {
  const copy = join(freshDir(), "memory");
  cpSync(dir, copy, { recursive: true, filter: (path) => !path.endsWith("/.git") });
  const visit = (folder: string, path: string): void => {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      if (statSync(file).isDirectory()) visit(file, `${path}${name}/`);
      else {
        const redacted = redactDocument(readFileSync(file), POLICY, { path: `memory_files/${path}${name}` });
        if (redacted.unscanned === undefined) writeFileSync(file, redacted.bytes);
      }
    }
  };
  visit(copy, "");
  const gitDir = extract(reader);
  cpSync(gitDir, join(copy, ".git"), { recursive: true });
  rmSync(gitDir, { recursive: true });
  return copy;
}
