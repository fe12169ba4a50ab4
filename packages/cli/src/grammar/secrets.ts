import { usageError } from "./usage-error.js";

/** How age identities begin, in any letter case; post-quantum ones too. */
const SECRET = /AGE-SECRET-KEY-/i;

/**
 * Secrets are never arguments: every user of the machine can read them in the list of processes.
 *
 * @throws KeepsakeError `E_USAGE` when an argument holds an age identity; the message does not repeat it
 */
export async function refuseSecrets(argv: readonly string[]): Promise<void> {
  if (!argv.some((argument) => SECRET.test(argument))) return;
  throw await usageError(
    "A secret key stands on the command line, where other users of this machine can read it.",
    "Put the key into a file that only you can read and name the file (--identity <file>); regard this key as known to others.",
  );
}
