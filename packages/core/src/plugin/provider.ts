import type { ArtifactSource } from "../ports/artifact-source.js";
import type { BundleStore } from "../ports/bundle-store.js";
import type { Codec } from "../ports/codec.js";
import type { EventPublisher } from "../ports/event-publisher.js";
import type { LockManager } from "../ports/lock-manager.js";
import type { RedactionPolicy } from "../ports/redaction-policy.js";
import type { StateProvider } from "../ports/state-provider.js";
import type { StandardSchema } from "./standard-schema.js";
import type { Token } from "./tokens.js";

/** What each kind of provider makes. */
export interface ProviderKinds {
  source: ArtifactSource;
  codec: Codec;
  store: BundleStore;
  lock: LockManager;
  redaction: RedactionPolicy;
  state: StateProvider;
  events: EventPublisher;
  /** any value that other providers ask for by token */
  service: unknown;
}

export type ProviderKind = keyof ProviderKinds;

/** Gives a provider the ready values it declared in `needs`. */
export interface Resolver {
  /** @throws KeepsakeError `E_PLUGIN_FAILED` when the token was not declared in `needs` or is not a built-in one */
  get<T>(token: Token<T>): T;
}

/** Where a provider is used. */
export interface ProviderContext {
  /** the id this instance has in the configuration, or undefined where none was given */
  readonly id: string | undefined;
  /** relative paths in options are relative to this absolute folder */
  readonly baseDir: string;
}

/**
 * The tokens of what must be ready before `create` is called; or a function that tells them from the options, which it gets
 * as the provider's schema completed them.
 */
export type Needs<Options> = readonly Token<unknown>[] | ((options: Options) => readonly Token<unknown>[]);

/** One thing a plugin can make. */
export interface Provider<K extends ProviderKind = ProviderKind, Options = unknown> {
  readonly kind: K;
  /** what `use:` in the configuration says; for a service the token's key */
  readonly name: string;
  /** checks and completes the options; absent: the provider takes none */
  readonly options?: StandardSchema<Options>;
  /** a service's is always a list; only a store may need other stores */
  readonly needs?: Needs<Options>;
  /** What it made is disposed by the kernel, in reverse order, when it is `AsyncDisposable` or `Disposable`. */
  create(options: Options, resolver: Resolver, context: ProviderContext): ProviderKinds[K] | Promise<ProviderKinds[K]>;
}

/** A provider whose options type was forgotten, so that providers of all kinds fit in one list. */
export type AnyProvider = { readonly [K in ProviderKind]: ForgottenOptions<K> }[ProviderKind];

/** `never` for what `create` takes; the schema gives its options out, so that there the forgotten type is `unknown`. */
interface ForgottenOptions<K extends ProviderKind> extends Omit<Provider<K, never>, "options"> {
  readonly options?: StandardSchema;
}

interface ProviderBody<K extends ProviderKind, Options> {
  readonly options?: StandardSchema<Options>;
  readonly needs?: Needs<Options>;
  create(options: Options, resolver: Resolver, context: ProviderContext): ProviderKinds[K] | Promise<ProviderKinds[K]>;
}

function maker<K extends Exclude<ProviderKind, "service">>(kind: K) {
  return <Options>(name: string, body: ProviderBody<K, Options>): Provider<K, Options> => ({ kind, name, ...body });
}

export const sourceProvider = maker("source");
export const codecProvider = maker("codec");
export const storeProvider = maker("store");
export const lockProvider = maker("lock");
export const redactionProvider = maker("redaction");
export const stateProvider = maker("state");
export const eventProvider = maker("events");

/** A value made once for other providers, asked for by its token. */
export function serviceProvider<T, Options = undefined>(
  provides: Token<T>,
  body: {
    readonly options?: StandardSchema<Options>;
    readonly needs?: readonly Token<unknown>[];
    create(options: Options, resolver: Resolver, context: ProviderContext): T | Promise<T>;
  },
): Provider<"service", Options> {
  return { kind: "service", name: provides.key, ...body };
}
