import { contentDigest, isSealIntact, KeepsakeError, type ParsedManifest } from "@keepsake/core";

/** @throws KeepsakeError `E_INTEGRITY` when seal or content digest of a manifest do not fit */
export function checkSeal({ manifest, wire }: ParsedManifest): void {
  if (!isSealIntact(wire)) throw new KeepsakeError("E_INTEGRITY", "The manifest's seal does not fit: it was changed.");
  if (contentDigest(manifest.artifacts) === manifest.bundleSha256) return;
  throw new KeepsakeError("E_INTEGRITY", "The manifest's content digest does not fit its artifacts.");
}
