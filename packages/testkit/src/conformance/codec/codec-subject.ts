import type { Codec } from "@keepsake/core";
import type { SubjectFactory } from "../port-case.js";

/** A codec to be tested. */
export interface CodecSubject {
  /** encodes, and decodes what it has encoded */
  readonly codec: Codec;
  /** True when equal input gives equal output. */
  readonly deterministic: boolean;
  /** For a codec that encrypts: the same without a key, and with a key that does not fit. Null where there is none. */
  readonly others: { readonly keyless: Codec; readonly stranger: Codec } | null;
}

export type CodecFactory = SubjectFactory<CodecSubject>;
