import type { ByteStream } from "../bytes/byte-stream.js";
import type { HealthFinding } from "./health-finding.js";
import type { OpOptions } from "./options.js";

/** What a store can do; declared, never guessed. One that has to ask its place first says the weaker until it knows. */
export interface StoreCapabilities {
  /** after `put` resolves the object survives a power cut */
  readonly durable: boolean;
  /** "atomic": of several writers of one new key exactly one wins; "advisory": best effort */
  readonly noOverwrite: "atomic" | "advisory";
  /**
   * The same for bodies that are too large for one request, where it differs. A bundle's record is small: what makes a
   * snapshot exist is under `noOverwrite`.
   */
  readonly noOverwriteLarge?: "atomic" | "advisory";
  /** `get` honours `range` */
  readonly ranges: boolean;
  /** true: to read an object costs little more than to read a file of this machine. Default false. */
  readonly near?: boolean;
  /** "process": what is put ends with the process, and no other process sees it; absent: it stays */
  readonly lifetime?: "process";
}

/** A stored object's facts. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** milliseconds since 1970 */
  readonly modifiedAtMs: number;
}

/** An object being read. The body is consumed at most once; not consuming it leaks nothing. */
export interface StoredBody {
  readonly object: StoredObject;
  readonly body: ByteStream;
}

/** A part of an object: from `start`, `length` bytes; more than there is ends at the object's end. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * Named immutable objects. Keys are `/`-separated artifact paths. After `put` resolves the object is durable and whole;
 * before that it is invisible to `get`, `head` and `list`.
 */
export interface BundleStore {
  readonly id: string;
  readonly capabilities: StoreCapabilities;
  /** One line for people: where it is ("folder /srv/keepsake"). No secret. */
  describe(): string;
  /**
   * @param body consumed once; on any failure, abort included, nothing stays visible and what was half-written is removed
   * @throws KeepsakeError `E_ALREADY_EXISTS`, `E_NO_SPACE`, `E_READ_ONLY`, `E_PERMISSION`, `E_IO`
   */
  put(key: string, body: ByteStream, options?: OpOptions): Promise<StoredObject>;
  /** @throws KeepsakeError `E_NOT_FOUND`; from the body `E_IO` */
  get(key: string, options?: OpOptions & { readonly range?: ByteRange }): Promise<StoredBody>;
  /** @returns undefined when there is no such object */
  head(key: string, options?: OpOptions): Promise<StoredObject | undefined>;
  /** All objects whose key begins with `prefix`, by ascending key (UTF-8 byte order). */
  list(prefix: string, options?: OpOptions): AsyncIterable<StoredObject>;
  /** @returns false when there was no such object */
  delete(key: string, options?: OpOptions): Promise<boolean>;
  /** Replaces a small mutable object (a record's notes) atomically, or creates it. Absent: `E_UNSUPPORTED` features are off. */
  replace?(key: string, body: Uint8Array, options?: OpOptions): Promise<StoredObject>;
  /** Removes uploads that a crash left unfinished and that nobody is writing; returns their names. */
  sweep?(options?: OpOptions & { readonly olderThanMs: number }): Promise<readonly string[]>;
  /**
   * Tries out what the place of the store really does, and says which guarantees follow from it. It may write small objects
   * of its own, which no other method shows, and removes them.
   *
   * @throws KeepsakeError when the place cannot be reached at all
   */
  inspect?(options?: OpOptions): Promise<readonly HealthFinding[]>;
}
