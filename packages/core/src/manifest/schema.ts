import { z } from "zod";
import type { JsonObject } from "../json.js";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();
const jsonObject = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;

/** The mode bits that travel: permission bits with setuid, setgid and sticky. */
const mode = z.int().min(0).max(0o7777);

const artifactSchema = z
  .object({
    pathInBundle: z.string(),
    kind: z.string().min(1),
    source: z.string().min(1),
    type: z.enum(["file", "symlink", "directory"]).default("file"),
    sizeBytes: count,
    sha256,
    mode: mode.default(0o644),
    mtimeMs: z.number().default(0),
    linkTarget: z.string().optional(),
    nameEncoding: z.literal("percent").optional(),
    facts: jsonObject.optional(),
  })
  .refine((a) => (a.type === "symlink") === (a.linkTarget !== undefined), {
    message: "a symlink, and only a symlink, has a link_target",
  })
  .refine((a) => a.type === "file" || a.sizeBytes === 0, { message: "only a file has bytes" });

const omissionSchema = z.object({
  source: z.string(),
  path: z.string(),
  reason: z.string(),
  code: z.string().optional(),
  detail: z.string().optional(),
});

const sourceSummarySchema = z.object({
  id: z.string(),
  kind: z.string(),
  status: z.enum(["captured", "absent", "partial"]),
  required: z.boolean(),
  artifacts: count,
  bytes: count,
  omitted: count.default(0),
  facts: jsonObject.optional(),
});

const gitSchema = z.object({
  headOid: z.string(),
  headSubject: z.string(),
  headAuthor: z.string(),
  headTsMs: z.number(),
});

const ruleCounts = z.array(z.object({ artifact: z.string(), rule: z.string(), count }));

const redactionsSchema = z.object({
  policy: z.string(),
  rulesApplied: z.array(z.string()),
  matchesRedacted: count,
  artifactsTouched: z.array(z.string()),
  /** how many of each rule in each artifact; what stands in the manifest itself is of the artifact "manifest.json" */
  findings: ruleCounts.default([]),
  /** found, and left as it is, because the configuration only warns of it */
  warnings: ruleCounts.default([]),
  unscanned: z.array(z.object({ path: z.string(), reason: z.string() })).default([]),
  /** what became of the history of repositories */
  history: z.array(z.object({ source: z.string(), outcome: z.string() })).default([]),
  /** how many names of files, folders and state values are others now */
  renamed: count.default(0),
});

const cutSchema = z.object({
  consistency: z.enum(["instant", "fenced", "best_effort"]),
  attempts: count,
  heldMs: z.number().nonnegative(),
  startedAtMs: z.number(),
});

/** The manifest in camelCase; `manifest.ts` beside this file turns it from and to the wire. */
export const manifestSchema = z.object({
  manifestVersion: z.int().positive(),
  bundleFormat: z.string(),
  snapshotId: z.string(),
  agentId: z.string(),
  tenant: z.string(),
  label: z.string().optional(),
  createdAtMs: z.number(),
  createdBy: z.string(),
  schemaVersions: z.record(z.string(), z.number()),
  git: gitSchema,
  artifacts: z.array(artifactSchema),
  sources: z.array(sourceSummarySchema).default([]),
  omitted: z.array(omissionSchema).default([]),
  cut: cutSchema.optional(),
  redactions: redactionsSchema.optional(),
  encryption: z.object({ scheme: z.string(), recipientsFingerprint: z.array(z.string()) }).optional(),
  toolVersions: z.record(z.string(), z.string()),
  bundleSha256: sha256,
  seal: z.object({ algorithm: z.literal("sha256"), digest: sha256 }),
});

/** One thing in a bundle: a file, a symbolic link or a directory. */
export type ArtifactMeta = z.output<typeof artifactSchema>;
/** Something that was seen and is not in the bundle, and why. */
export type Omission = z.output<typeof omissionSchema>;
/** What one source brought. */
export type SourceSummary = z.output<typeof sourceSummarySchema>;
/** The facts of a repository's HEAD. */
export type GitHead = z.output<typeof gitSchema>;
/** What redaction did. Never what it found. */
export type RedactionReport = z.output<typeof redactionsSchema>;
/** How the one instant was reached. */
export type CutReport = z.output<typeof cutSchema>;
/** Everything a bundle says of itself. */
export type Manifest = z.output<typeof manifestSchema>;
/** A manifest before it is sealed. */
export type UnsealedManifest = Omit<Manifest, "seal">;
