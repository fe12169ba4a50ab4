import { type Codec, contentDigest, type Manifest, type RedactionReport } from "@keepsake/core";
import type { BundleToWrite } from "./bundle-writer.js";
import type { UnpackedBundle } from "../restore/unpacked-bundle.js";
import { byPath, type StagedArtifactFile } from "./staged-bundle.js";

/** The artifacts of an unpacked bundle, as they are staged. */
export function stagedArtifactsOf(unpacked: UnpackedBundle): StagedArtifactFile[] {
  return unpacked.manifest.artifacts.map((meta) => {
    const file = unpacked.fileOf(meta.pathInBundle);
    return file === undefined ? { meta } : { meta, file };
  });
}

/** The same snapshot as a new bundle: with other codecs, and with what a redaction changed. */
export function rebuildBundle(
  manifest: Manifest,
  staged: readonly StagedArtifactFile[],
  codecs: readonly Codec[],
  redactions: RedactionReport | undefined,
): BundleToWrite {
  const { seal: _seal, encryption: _encryption, redactions: earlier, ...rest } = manifest;
  const artifacts = [...staged].sort(byPath);
  const metas = artifacts.map(({ meta }) => meta);
  const report = mergeReports(earlier, redactions);
  const unsealed = { ...rest, artifacts: metas, bundleSha256: contentDigest(metas) };
  return { unsealed: report === undefined ? unsealed : { ...unsealed, redactions: report }, artifacts, codecs };
}

/** A second redaction adds to the first; what was not scanned is what the last one says. */
function mergeReports(
  first: RedactionReport | undefined,
  second: RedactionReport | undefined,
): RedactionReport | undefined {
  if (first === undefined || second === undefined) return second ?? first;
  return {
    policy: second.policy,
    rulesApplied: [...new Set([...first.rulesApplied, ...second.rulesApplied])],
    matchesRedacted: first.matchesRedacted + second.matchesRedacted,
    artifactsTouched: [...new Set([...first.artifactsTouched, ...second.artifactsTouched])].sort(),
    unscanned: second.unscanned,
  };
}
