import { z } from "zod";
import type { Digests } from "../objects/small-object.js";

/** What a server was seen to do, whatever it says of itself. */
export interface ServerTraits {
  /** `PUT` with `If-None-Match: *` lets one of many writers of a new key win */
  readonly conditionalPut: boolean;
  /** the same when a multipart upload is completed */
  readonly conditionalMultipart: boolean;
  /** `PUT` with `If-Match`: how the ETag has to be written for it, or that it does not work */
  readonly ifMatch: "quoted" | "bare" | "none";
  /** by which digests the server refuses bytes that changed on the way */
  readonly digests: Digests;
  /** a listing shows at once what was written or deleted */
  readonly listsAtOnce: boolean;
  readonly objectLock: "enabled" | "disabled" | "unknown";
  /** what is overwritten or deleted stays as an older version */
  readonly versioned: boolean;
}

/** What is assumed of a server that does not let itself be tried out: nothing. */
export const UNTRIED: ServerTraits = {
  conditionalPut: false,
  conditionalMultipart: false,
  ifMatch: "none",
  digests: { sha256: false, md5: true },
  listsAtOnce: false,
  objectLock: "unknown",
  versioned: false,
};

/** The object that keeps them. Another version of it, another place or an old age: the server is tried out again. */
export const keptTraitsSchema = z.object({
  version: z.literal(1),
  place: z.string(),
  tried_at_ms: z.number(),
  conditional_put: z.boolean(),
  conditional_multipart: z.boolean(),
  if_match: z.enum(["quoted", "bare", "none"]),
  sha256: z.boolean(),
  md5: z.boolean(),
  lists_at_once: z.boolean(),
  object_lock: z.enum(["enabled", "disabled", "unknown"]),
  versioned: z.boolean(),
});

type KeptTraits = z.output<typeof keptTraitsSchema>;

export function traitsToWire(traits: ServerTraits): Omit<KeptTraits, "version" | "place" | "tried_at_ms"> {
  return {
    conditional_put: traits.conditionalPut,
    conditional_multipart: traits.conditionalMultipart,
    if_match: traits.ifMatch,
    sha256: traits.digests.sha256,
    md5: traits.digests.md5,
    lists_at_once: traits.listsAtOnce,
    object_lock: traits.objectLock,
    versioned: traits.versioned,
  };
}

export function traitsFromWire(kept: KeptTraits): ServerTraits {
  return {
    conditionalPut: kept.conditional_put,
    conditionalMultipart: kept.conditional_multipart,
    ifMatch: kept.if_match,
    digests: { sha256: kept.sha256, md5: kept.md5 },
    listsAtOnce: kept.lists_at_once,
    objectLock: kept.object_lock,
    versioned: kept.versioned,
  };
}

/** The `If-Match` header of a server, for a bare ETag. */
export function ifMatchHeader(traits: Pick<ServerTraits, "ifMatch">, etag: string): { readonly IfMatch?: string } {
  if (traits.ifMatch === "none") return {};
  return { IfMatch: traits.ifMatch === "bare" ? etag : `"${etag}"` };
}
