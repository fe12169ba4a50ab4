import type { ProviderKind } from "@keepsake/core";
import type { RegisteredProvider } from "../plugins/registry.js";
import type { ResolvedConfig, UseEntry } from "./schema.js";

type Options = Readonly<Record<string, unknown>>;

/** Keys of an entry that are Keepsake's own; all others are the provider's options. */
export const OWN_KEYS = {
  source: ["use", "id"],
  state: ["use", "id"],
  events: ["use", "id"],
  codec: ["use"],
  store: ["use"],
  redaction: ["use", "mode"],
  lock: ["use", "timeout_secs"],
} as const satisfies Partial<Record<ProviderKind, readonly string[]>>;

/** Keys of `encryption` that are Keepsake's own. */
export const OWN_ENCRYPTION_KEYS = ["use", "enabled", "recipients", "identity_file", "private_labels"] as const;

function without(entry: Options, keys: readonly string[]): Options {
  // Keys first, so that a value which is not the provider's is not even read: a test watches who reads what.
  const own = Object.keys(entry).filter((key) => !keys.includes(key));
  return Object.fromEntries(own.map((key) => [key, entry[key]]));
}

/** The options of an entry for its provider. */
export function optionsOf(kind: keyof typeof OWN_KEYS, entry: UseEntry): Options {
  return without(entry, OWN_KEYS[kind]);
}

/** The lock provider's options: `lease_secs` is always among them, unless the provider takes none. */
export function lockOptions(lock: ResolvedConfig["lock"], found: RegisteredProvider | undefined): Options {
  const takesNone = found !== undefined && found.provider.options === undefined;
  const isDefault = lock.lease_secs === 60;
  return without(lock, takesNone && isDefault ? [...OWN_KEYS.lock, "lease_secs"] : OWN_KEYS.lock);
}

/** The encryption codec's options, beside `recipients` (to write) or `identity_files` (to read). */
export function encryptionOptions(encryption: ResolvedConfig["encryption"]): Options {
  return without(encryption, OWN_ENCRYPTION_KEYS);
}
