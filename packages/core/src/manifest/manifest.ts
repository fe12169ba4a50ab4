import { sha256Hex } from "../bytes/hashed-stream.js";
import { KeepsakeError } from "../errors/keepsake-error.js";
import { isDeeperThan, isJsonObject, type JsonObject, type JsonValue, MAX_JSON_DEPTH } from "../json.js";
import { canonicalDigest } from "../wire/canonical-json.js";
import { fromWire, toWire } from "../wire/case.js";
import { checkPaths } from "./check-paths.js";
import { type ArtifactMeta, type GitHead, type Manifest, manifestSchema, type UnsealedManifest } from "./schema.js";

/** The manifest version this program writes; it reads this and every older one. */
export const MANIFEST_VERSION = 1;
/** The name of the bundle layout. */
export const BUNDLE_FORMAT = "keepsake-bundle-v1";
/** Name of the first entry of every bundle. */
export const MANIFEST_ENTRY = "manifest.json";
/** A manifest larger than this is refused unless the configuration says otherwise, in bytes. */
export const DEFAULT_MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** What stands for HEAD where there is no repository, as the original tool wrote it. */
export const NO_GIT_HEAD: GitHead = {
  headOid: "0".repeat(40),
  headSubject: "(no memdir)",
  headAuthor: "keepsake <keepsake@localhost>",
  headTsMs: 0,
};

/** SHA-256 over the concatenated artifact digests in their order: equal for equal content. */
export function contentDigest(artifacts: readonly ArtifactMeta[]): string {
  return sha256Hex(artifacts.map((artifact) => artifact.sha256).join(""));
}

function sealOf(wire: JsonObject): string {
  const { seal: _seal, ...sealed } = wire;
  return canonicalDigest(sealed);
}

/** Seals a manifest: the digest covers every field of its wire form but the seal itself. */
export function sealManifest(unsealed: UnsealedManifest): { readonly manifest: Manifest; readonly wire: JsonObject } {
  const wire = toWire(unsealed);
  const seal = { algorithm: "sha256" as const, digest: sealOf(wire) };
  return { manifest: { ...unsealed, seal }, wire: { ...wire, seal } };
}

/** True when the seal of a manifest's wire form fits, unknown fields included. */
export function isSealIntact(wire: JsonObject): boolean {
  const seal = wire["seal"];
  if (!isJsonObject(seal) || seal["algorithm"] !== "sha256") return false;
  try {
    return seal["digest"] === sealOf(wire);
  } catch {
    // A number or a string without a canonical form: nothing that could have been sealed.
    return false;
  }
}

/** So many lines of the text are turned into bytes at a time. */
const LINES = 1_000;

/** The bytes of `manifest.json`: a line for each field, and for each item of a list, so that it can be read and searched. */
export function encodeManifest(wire: JsonObject): Uint8Array {
  const parts: Buffer[] = [];
  let lines: string[] = [];
  const add = (line: string): void => {
    lines.push(line);
    if (lines.length < LINES) return;
    parts.push(Buffer.from(lines.join("")));
    lines = [];
  };
  add("{");
  for (const [index, [name, value]] of Object.entries(wire).entries()) {
    add(`${index === 0 ? "" : ","}\n  ${JSON.stringify(name)}: `);
    if (!Array.isArray(value) || value.length === 0) {
      add(JSON.stringify(value));
      continue;
    }
    value.forEach((item, at) => {
      add(`${at === 0 ? "[" : ","}\n    ${JSON.stringify(item)}`);
    });
    add("\n  ]");
  }
  add("\n}\n");
  return Buffer.concat([...parts, Buffer.from(lines.join(""))]);
}

const malformed = (why: string, cause?: unknown): KeepsakeError =>
  new KeepsakeError("E_MANIFEST", `The manifest ${why}.`, cause === undefined ? {} : { cause });

function parseJson(bytes: Uint8Array): JsonObject {
  let value: JsonValue;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as JsonValue;
  } catch (error) {
    throw malformed("is not UTF-8 JSON", error);
  }
  if (!isJsonObject(value)) throw malformed("is not a JSON object");
  // What follows goes down by recursion, and must not overflow the stack.
  if (isDeeperThan(value, MAX_JSON_DEPTH)) throw malformed("is nested too deeply");
  return value;
}

function checkVersion(wire: JsonObject): void {
  const version = wire["manifest_version"];
  if (typeof version !== "number" || !Number.isInteger(version)) throw malformed("has no manifest_version");
  if (version <= MANIFEST_VERSION) return;
  throw new KeepsakeError(
    "E_FORMAT_TOO_NEW",
    `The bundle's manifest has version ${String(version)}; this program reads up to ${String(MANIFEST_VERSION)}.`,
    { context: { found: version, supported: MANIFEST_VERSION }, hint: "Update Keepsake to read this bundle." },
  );
}

/** The original tool's manifests name no source: it is the first folder of the path. */
function withSources(manifest: JsonObject): JsonObject {
  const artifacts = manifest["artifacts"];
  if (!Array.isArray(artifacts)) return manifest;
  return {
    ...manifest,
    artifacts: artifacts.map((artifact: JsonValue) => {
      if (!isJsonObject(artifact) || artifact["source"] !== undefined) return artifact;
      const path = artifact["pathInBundle"];
      return typeof path === "string" ? { ...artifact, source: path.split("/")[0] ?? "" } : artifact;
    }),
  };
}

/** A manifest as read, with the wire form that its seal covers. */
export interface ParsedManifest {
  readonly manifest: Manifest;
  readonly wire: JsonObject;
}

/**
 * Reads `manifest.json`. Unknown fields are ignored; the seal is *not* judged here (see {@link isSealIntact}), so that a
 * verification can tell a broken seal from a manifest that cannot be read.
 *
 * @throws KeepsakeError `E_MANIFEST` when it is malformed, `E_FORMAT_TOO_NEW` when it is newer than this program,
 *   `E_UNSAFE_PATH` when a path of it is unsafe or ambiguous
 */
export function parseManifest(bytes: Uint8Array): ParsedManifest {
  const wire = parseJson(bytes);
  checkVersion(wire);
  const result = manifestSchema.safeParse(withSources(fromWire(wire)));
  if (!result.success) {
    const issue = result.error.issues[0];
    throw malformed(
      `is malformed at ${issue?.path.join(".") ?? "its root"}: ${issue?.message ?? "unknown"}`,
      result.error,
    );
  }
  if (result.data.bundleFormat !== BUNDLE_FORMAT) {
    throw new KeepsakeError(
      "E_UNSUPPORTED",
      `The bundle format ${JSON.stringify(result.data.bundleFormat)} is unknown.`,
    );
  }
  checkPaths(result.data.artifacts);
  return { manifest: result.data, wire };
}
