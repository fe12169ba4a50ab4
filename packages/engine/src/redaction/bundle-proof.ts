import { type ByteStream, encodeManifest, type OpOptions, sealManifest } from "@keepsake/core";
import type { BundleToWrite } from "../bundle/bundle-writer.js";
import { decodeThrough } from "../bundle/codec-chain.js";
import { plainArchive } from "../bundle/encode-archive.js";
import { archiveSegments } from "../bundle/segments.js";
import { proveClean, type ResidueSearch } from "./residue.js";

/** The manifest of a redacted bundle may be as large as it is: it was just written. */
const ANY_SIZE = Number.MAX_SAFE_INTEGER;

/**
 * Proves a bundle that was written to be free of what was found. Its stored bytes are read back and decoded; what is
 * encrypted, nobody here may have the key of: then the archive is packed once more, which gives the same bytes.
 *
 * @param stored the bundle's bytes, from where they were written to
 * @throws KeepsakeError `E_REDACTION_RESIDUE`, what reading fails with
 */
export async function proveBundle(
  bundle: BundleToWrite,
  search: ResidueSearch,
  stored: () => Promise<ByteStream>,
  { signal }: OpOptions,
): Promise<void> {
  if (search.fragments.size === 0) return;
  const { codecs, artifacts } = bundle;
  const isEncrypted = codecs.some((codec) => codec.encrypts === true);
  const decoded = isEncrypted
    ? plainArchive(archiveSegments(encodeManifest(sealManifest(bundle.unsealed).wire), artifacts), { signal })
    : decodeThrough(codecs.toReversed(), await stored(), { maxOutputBytes: ANY_SIZE, signal });
  await proveClean(decoded, artifacts, search, { signal, maxManifestBytes: ANY_SIZE });
}
