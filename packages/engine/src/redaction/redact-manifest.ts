import {
  addMatches,
  contentDigest,
  isJsonObject,
  type JsonValue,
  type RedactionPolicy,
  redactDocumentText,
  redactText,
  type UnsealedManifest,
} from "@keepsake/core";
import { byPath, type StagedArtifactFile } from "../bundle/staged-bundle.js";
import { digestOfLink } from "../bundle/read-archive.js";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import { NameRedaction } from "./redact-names.js";
import { MANIFEST_NAME } from "./residue.js";

/** A bundle that is about to be sealed. */
export interface BundleDraft {
  readonly unsealed: Omit<UnsealedManifest, "encryption">;
  readonly artifacts: readonly StagedArtifactFile[];
}

/** The same without secrets in names and in the manifest's own fields. */
export interface RedactedDraft extends BundleDraft {
  /** matches by rule id, in names and fields */
  readonly matches: Readonly<Record<string, number>>;
  /** what the paths of the draft are now */
  readonly names: NameRedaction;
}

/** Sources whose own redaction looks after the names in their folder: a repository has them in itself as well. */
export type OwnNames = ReadonlySet<string>;

/**
 * Gives new names to files, folders, links and state values that tell a secret, and takes secrets out of what the manifest says
 * itself: label, author, facts of sources and artifacts, what was left out and why. Ids and digests stay: they are made of
 * nothing that anybody wrote.
 */
export function redactManifest(draft: BundleDraft, policy: RedactionPolicy, ownNames: OwnNames): RedactedDraft {
  const { unsealed } = draft;
  const named = (source: string): boolean => !ownNames.has(source);
  const names = new NameRedaction(
    [
      ...unsealed.artifacts
        .filter(({ source }) => named(source))
        .map(({ pathInBundle: path, nameEncoding }) => ({ path, nameEncoding })),
      ...unsealed.omitted.map(({ source, path }) => ({ path: `${source}/${path}` })),
    ],
    policy,
    STATE_FOLDER,
  );
  const fields = new FieldRedaction(policy);
  const artifacts = draft.artifacts
    .map((artifact) => ({ ...artifact, meta: renamed(artifact.meta, names, fields, named(artifact.meta.source)) }))
    .sort(byPath);
  const metas = artifacts.map(({ meta }) => meta);
  const matches = { ...fields.matches };
  addMatches(matches, names.matches);
  return {
    artifacts,
    names,
    matches,
    unsealed: {
      ...unsealed,
      ...(unsealed.label === undefined ? {} : { label: fields.text(unsealed.label) }),
      createdBy: fields.text(unsealed.createdBy),
      schemaVersions: renamedVersions(unsealed, names, fields),
      git: {
        ...unsealed.git,
        headSubject: fields.text(unsealed.git.headSubject),
        headAuthor: fields.text(unsealed.git.headAuthor),
      },
      artifacts: metas,
      sources: unsealed.sources.map((source) => fields.facts(source)),
      omitted: unsealed.omitted.map((omission) => ({
        ...omission,
        path: names.path(`${omission.source}/${omission.path}`).slice(omission.source.length + 1),
        ...(omission.detail === undefined ? {} : { detail: fields.text(omission.detail) }),
      })),
      bundleSha256: contentDigest(metas),
    },
  };
}

type Meta = StagedArtifactFile["meta"];

function renamed(meta: Meta, names: NameRedaction, fields: FieldRedaction, isNamed: boolean): Meta {
  const changed = fields.facts(meta);
  if (!isNamed) return changed;
  const pathInBundle = names.path(meta.pathInBundle);
  const kind = stateKind(meta, pathInBundle);
  if (meta.linkTarget === undefined) return { ...changed, pathInBundle, kind };
  const linkTarget = names.target(meta.pathInBundle, meta.linkTarget);
  return { ...changed, pathInBundle, kind, linkTarget, sha256: digestOfLink({ type: "symlink", linkTarget }) };
}

/** The kind of a state value repeats its key. */
function stateKind({ source, kind, pathInBundle }: Meta, path: string): string {
  if (source !== STATE_FOLDER || path === pathInBundle) return kind;
  return `state_${path.slice(STATE_FOLDER.length + 1).replace(/\.json$/, "")}`;
}

/** They go by the paths of databases, without the source's id. */
function renamedVersions(
  { schemaVersions, artifacts }: BundleDraft["unsealed"],
  names: NameRedaction,
  fields: FieldRedaction,
): Record<string, number> {
  const paths = new Map(
    artifacts.map(({ source, pathInBundle }) => [
      pathInBundle.slice(source.length + 1),
      names.path(pathInBundle).slice(source.length + 1),
    ]),
  );
  return Object.fromEntries(
    Object.entries(schemaVersions).map(([name, version]) => [paths.get(name) ?? fields.text(name), version]),
  );
}

/** Redacts texts, and what is made of them. */
class FieldRedaction {
  readonly #policy: RedactionPolicy;
  readonly matches: Record<string, number> = {};

  constructor(policy: RedactionPolicy) {
    this.#policy = policy;
  }

  text(text: string): string {
    return this.#count(redactText(text, this.#policy, { path: MANIFEST_NAME }));
  }

  facts<T extends { readonly facts?: UnsealedManifest["sources"][number]["facts"] }>(holder: T): T {
    if (holder.facts === undefined) return holder;
    const facts = this.#json(holder.facts);
    return isJsonObject(facts) ? { ...holder, facts } : holder;
  }

  #json(value: JsonValue): JsonValue {
    // As one document first: what a name tells of its value is seen.
    const text = JSON.stringify(value);
    const redacted = this.#count(redactDocumentText(text, this.#policy, { path: MANIFEST_NAME }));
    return redacted === text ? value : (JSON.parse(redacted) as JsonValue);
  }

  #count({ text, matches }: { readonly text: string; readonly matches: Readonly<Record<string, number>> }): string {
    addMatches(this.matches, matches);
    return text;
  }
}
