import { type ArtifactSource, type Codec, KeepsakeError } from "@keepsake/core";

/**
 * Refuses a redaction that would put into a bundle for everybody what only those may read who hold a key: the ids that a history
 * had are digests of what was taken out of it, and tell whether a guess is right.
 *
 * @throws KeepsakeError `E_CONFIG`
 */
export function checkPrivateParts(sources: readonly ArtifactSource[], codecs: readonly Codec[]): void {
  const telling = sources.filter(({ redactionIsPrivate = false }) => redactionIsPrivate).map(({ id }) => id);
  if (telling.length === 0 || codecs.some(({ encrypts }) => encrypts === true)) return;
  throw new KeepsakeError(
    "E_CONFIG",
    `What a redaction of ${telling.join(", ")} is to tell goes into encrypted bundles only, and this one would not be.`,
    {
      context: { sources: telling },
      hint: "Name a recipient (--encrypt, encryption.recipients), or ask for no `oid_map` in the sources of the configuration.",
    },
  );
}
