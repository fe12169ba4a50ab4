import { hostname } from "node:os";
import { livenessOf, ownIdentity } from "@keepsake/files";
import { z } from "zod";

/** What a lock's object holds: its newest acquisition. It is never deleted, so that the token goes on growing. */
export const leaseSchema = z.object({
  version: z.literal(1),
  token: z.int().positive(),
  /** tells acquisitions apart */
  nonce: z.string().min(1),
  /** grows with every renewal, so that each changes the object */
  renewal: z.int().nonnegative(),
  lease_ms: z.number().positive(),
  released: z.boolean(),
  host: z.string(),
  host_name: z.string(),
  pid: z.int(),
  started_at: z.string(),
});

export type Lease = z.output<typeof leaseSchema>;

/** A lease as the server holds it. */
export interface SeenLease {
  readonly lease: Lease;
  /** without quotes */
  readonly etag: string;
  /** by the server's clock, milliseconds since 1970 */
  readonly modifiedAtMs: number;
}

export function newLease(token: number, nonce: string, leaseMs: number): Lease {
  const { host, pid, startedAt } = ownIdentity();
  const holder = { host, host_name: hostname(), pid, started_at: startedAt };
  return { version: 1, token, nonce, renewal: 0, lease_ms: leaseMs, released: false, ...holder };
}

/** True for a holder that is seen to have ended. Of another machine's nothing is seen. */
export function hasEnded({ host, pid, started_at: startedAt }: Lease): boolean {
  return livenessOf({ host, pid, startedAt }) === "dead";
}

/** True for two states of one acquisition that are the same. */
export function isSameLease(a: Lease, b: Lease): boolean {
  return a.nonce === b.nonce && a.renewal === b.renewal && a.released === b.released;
}
