import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateIdentity, identityFileText } from "@keepsake/age";
import { openKeepsake } from "@keepsake/standard";

/** Makes an identity, and keeps it in a file that only its owner can read. `keepsake keygen` does the same. */
export async function makeIdentity(folder: string, name: string) {
  const pair = await generateIdentity();
  const file = join(folder, `${name}.key`);
  await writeFile(file, identityFileText(pair, new Date()), { mode: 0o600, flag: "wx" });
  return { file, recipient: pair.recipient };
}

/**
 * Takes a snapshot that each of several people can open alone: say the operator, and the one who keeps the key in the
 * safe. Only the public halves are needed for it.
 */
export async function snapshotFor(recipients: readonly string[], memory: string, stateRoot: string) {
  await using keepsake = await openKeepsake({ stateRoot });
  const { record } = await keepsake.snapshot({ agent: "ana", memory, recipients, redact: false });
  return record;
}

/** Puts it back with one of the identities. The pre-restore snapshot is encrypted to the owner of that identity. */
export async function restoreWith(identityFile: string, ref: string, memory: string, stateRoot: string) {
  await using keepsake = await openKeepsake({ stateRoot });
  return await keepsake.restore({ agent: "ana", memory, ref, identityFiles: [identityFile] });
}
