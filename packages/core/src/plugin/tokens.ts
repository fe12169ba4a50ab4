import type { BundleStore } from "../ports/bundle-store.js";
import type { Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import type { TellTrouble } from "../ports/store-trouble.js";

/** Names a ready value that a plugin may ask for, and its type. */
export interface Token<T> {
  readonly key: string;
  /** carries the type alone; never set */
  readonly type?: T;
}

/** A token of your own; the key must be unique, by convention `<plugin>/<name>`. */
export function token<T>(key: string): Token<T> {
  return { key };
}

const STORE_PREFIX = "keepsake/store/";

/**
 * The store that the configuration has under `stores.<name>`, for a store that is made of others. It is ready before what
 * needs it, and is closed after it by whoever made it: what needs it does not dispose it.
 */
export function storeToken(name: string): Token<BundleStore> {
  return token(`${STORE_PREFIX}${name}`);
}

/** The name in a {@link storeToken}; undefined for any other token. */
export function storeNameOf({ key }: Token<unknown>): string | undefined {
  return key.startsWith(STORE_PREFIX) ? key.slice(STORE_PREFIX.length) : undefined;
}

export const LOGGER: Token<Logger> = token("keepsake/logger");
export const CLOCK: Token<Clock> = token("keepsake/clock");
/** Absolute path of the state root. */
export const STATE_ROOT: Token<string> = token("keepsake/state-root");
/** Secrets named in a plugin's options, `{ env }` or `{ file }`, are read through this. */
export const SECRETS: Token<SecretReader> = token("keepsake/secrets");

/** For a store that goes on although a part of it fails: the command then says so, and ends with 3. */
export const STORE_TROUBLES: Token<TellTrouble> = token("keepsake/store-troubles");

/** A reference to a secret; configuration never holds the value itself. */
export type SecretRef = { readonly env: string } | { readonly file: string };

/** Reads what a reference points to. */
export interface SecretReader {
  /** @throws KeepsakeError `E_CONFIG` when the variable is not set or the file cannot be read */
  read(ref: SecretRef): Promise<string>;
}
