import type { AgentRef, BundleStore, Codec, Logger } from "@keepsake/core";
import type { Decoders } from "./sealing.js";

/** For whom, of what and how a snapshot is taken. */
export interface MemoOrder {
  readonly stateRoot: string;
  readonly ref: AgentRef;
  readonly memory: string;
  readonly store: BundleStore;
  readonly codecs: readonly Codec[];
  readonly decoders: Decoders;
  /** whether keys are at hand that open what is encrypted */
  readonly hasKeys: boolean;
  /** what is redacted is read again each time: the rules may be others */
  readonly redact: boolean;
  /** read and encode everything at every so many snapshots: what may be wrong with one does not go on for ever */
  readonly fullEvery: number;
  readonly logger: Logger;
}

/** True when nobody can read without a key what these codecs write. */
export function isEncrypted(codecs: readonly Codec[]): boolean {
  return codecs.some(({ encrypts }) => encrypts === true);
}

/** True when frames of a bundle that is written so could be found in it, and taken over by the next. */
export function canBeTaken({ codecs, store, hasKeys }: MemoOrder): boolean {
  const [first, ...others] = codecs;
  if (first?.frames === undefined || first.encrypts === true) return false;
  if (others.some((codec) => codec.decodeRanges === undefined)) return false;
  return store.capabilities.near === true && store.capabilities.ranges && (hasKeys || !isEncrypted(others));
}
