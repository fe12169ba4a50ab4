import {
  abortable,
  type ArtifactSource,
  type ByteStream,
  encodeManifest,
  KeepsakeError,
  type OpOptions,
  type ParsedManifest,
} from "@keepsake/core";
import { readChunks } from "@keepsake/files";
import { readArchive } from "../bundle/read-archive.js";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import { unfolded } from "./deep-content.js";
import { ResidueScanner } from "./residue-scanner.js";
import type { SecretFragments } from "./secret-fragments.js";

/** What stands for the manifest where artifacts are named. */
export const MANIFEST_NAME = "manifest.json";

/** Where something stayed, and which rule had found it. */
export interface Residue {
  readonly artifact: string;
  readonly rule: string;
}

/** What a bundle's artifacts are looked through for, and how. */
export interface ResidueSearch {
  readonly fragments: SecretFragments;
  readonly sources: readonly ArtifactSource[];
  /** ids of sources whose artifacts are meant to be as they were, and are told of */
  readonly kept: ReadonlySet<string>;
}

/**
 * Looks for a fragment of a secret in a staged file as it is, in what is folded in it, and in what its source can read out of
 * it.
 *
 * @returns the rule that had found it
 */
export async function residueOf(
  { meta, file }: StagedArtifactFile,
  { fragments, sources }: ResidueSearch,
  { signal }: OpOptions,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return (
    (await ruleIn(abortable(readChunks(file), signal), fragments)) ??
    (await hiddenResidueOf({ meta, file }, { fragments, sources }, signal))
  );
}

async function hiddenResidueOf(
  { meta, file }: Pick<StagedArtifactFile, "meta"> & { readonly file: string },
  { fragments, sources }: Pick<ResidueSearch, "fragments" | "sources">,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const folded = await ruleIn(unfolded(file, signal), fragments);
  if (folded !== undefined) return folded;
  const source = sources.find(({ id }) => id === meta.source);
  if (source?.disclose === undefined) return undefined;
  return await ruleIn(source.disclose({ pathInBundle: meta.pathInBundle, file }, { signal }), fragments);
}

async function ruleIn(bytes: ByteStream, fragments: SecretFragments): Promise<string | undefined> {
  const scanner = new ResidueScanner(fragments);
  for await (const chunk of bytes) {
    scanner.feed(chunk);
    if (scanner.rule !== undefined) break;
  }
  return scanner.rule;
}

/**
 * Proves that a bundle holds nothing of what was found: its decoded bytes are read as anybody reads them. What its files
 * fold and its databases tell is read from the staged copies, whose digests the archive was just held to.
 *
 * @param decoded the archive
 * @throws KeepsakeError `E_REDACTION_RESIDUE` with the artifact and the rule, never the value
 */
export async function proveClean(
  decoded: ByteStream,
  staged: readonly StagedArtifactFile[],
  search: ResidueSearch,
  options: OpOptions & { readonly maxManifestBytes: number },
): Promise<void> {
  const { fragments, kept } = search;
  const files = new Map(staged.map((artifact) => [artifact.meta.pathInBundle, artifact]));
  await readArchive(
    decoded,
    {
      manifest({ wire }: ParsedManifest) {
        const scanner = new ResidueScanner(fragments);
        scanner.feed(encodeManifest(wire));
        if (scanner.rule !== undefined) throw residueFound({ artifact: MANIFEST_NAME, rule: scanner.rule });
      },
      async file(meta, content) {
        const scanner = new ResidueScanner(fragments);
        const isKept = kept.has(meta.source);
        for await (const chunk of content) if (!isKept) scanner.feed(chunk);
        if (isKept) return;
        const file = files.get(meta.pathInBundle)?.file;
        const hidden =
          scanner.rule ??
          (file === undefined ? undefined : await hiddenResidueOf({ meta, file }, search, options.signal));
        if (hidden !== undefined) throw residueFound({ artifact: meta.pathInBundle, rule: hidden });
      },
    },
    { maxManifestBytes: options.maxManifestBytes, signal: options.signal },
  );
}

function residueFound({ artifact, rule }: Residue): KeepsakeError {
  return new KeepsakeError(
    "E_REDACTION_RESIDUE",
    `${artifact} still holds a part of what the rule ${rule} found; nothing was published.`,
    {
      context: { artifact, rule },
      hint:
        artifact === MANIFEST_NAME
          ? "A name says it that is kept as it is, perhaps one within a repository (`history: keep`). Change the name, or have the history rewritten, or allow the value (redaction.policies)."
          : "It cannot be rewritten there. Take the secret out of it, or leave the file out, or allow the value (redaction.policies).",
    },
  );
}
