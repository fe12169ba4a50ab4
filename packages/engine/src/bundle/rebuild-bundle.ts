import { type Codec, contentDigest, type Manifest, type RedactionReport } from "@keepsake/core";
import type { BundleToWrite } from "./bundle-writer.js";
import type { BundleDraft } from "../redaction/redact-manifest.js";
import type { UnpackedBundle } from "../restore/unpacked-bundle.js";
import { byPath, type StagedArtifactFile } from "./staged-bundle.js";

/** The artifacts of an unpacked bundle, as they are staged. */
export function stagedArtifactsOf(unpacked: UnpackedBundle): StagedArtifactFile[] {
  return unpacked.manifest.artifacts.map((meta) => {
    const file = unpacked.fileOf(meta.pathInBundle);
    return file === undefined ? { meta } : { meta, file };
  });
}

/** The same snapshot as a new bundle: with other codecs, and as a redaction left it. */
export function rebuildBundle(
  manifest: Manifest,
  changed: BundleDraft | readonly StagedArtifactFile[],
  codecs: readonly Codec[],
): BundleToWrite {
  const { seal: _seal, encryption: _encryption, ...asItWas } = manifest;
  if ("unsealed" in changed) {
    const report = mergeReports(manifest.redactions, changed.unsealed.redactions);
    const unsealed = { ...changed.unsealed, ...(report === undefined ? {} : { redactions: report }) };
    return { unsealed, artifacts: changed.artifacts, codecs };
  }
  const artifacts = [...changed].sort(byPath);
  const metas = artifacts.map(({ meta }) => meta);
  return { unsealed: { ...asItWas, artifacts: metas, bundleSha256: contentDigest(metas) }, artifacts, codecs };
}

/** A second redaction adds to the first; what was not scanned is what the last one says. */
function mergeReports(
  first: RedactionReport | undefined,
  second: RedactionReport | undefined,
): RedactionReport | undefined {
  if (first === undefined || second === undefined) return second ?? first;
  const touched = [...new Set([...first.artifactsTouched, ...second.artifactsTouched])].sort();
  return {
    ...second,
    rulesApplied: [...new Set([...first.rulesApplied, ...second.rulesApplied])],
    matchesRedacted: first.matchesRedacted + second.matchesRedacted,
    artifactsTouched: touched,
    findings: [...first.findings, ...second.findings],
    renamed: first.renamed + second.renamed,
  };
}
