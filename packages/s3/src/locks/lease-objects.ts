import { setTimeout as delay } from "node:timers/promises";
import { isKeepsakeError, KeepsakeError, type OpOptions } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { OWN_FOLDER } from "../objects/keys.js";
import { getSmall, putSmall } from "../objects/small-object.js";
import type { KnownServer } from "../server/known-server.js";
import { ifMatchHeader } from "../server/server-traits.js";
import { isSameLease, type Lease, leaseSchema, type SeenLease } from "./lease.js";

const MAX_LEASE_BYTES = 64 * 1024;
/** How long another writer's object may take to be seen, where the server decides nothing. */
const SETTLE_MS = 500;

/** The objects of locks in a bucket, and the conditional writes by which they change hands. */
export class LeaseObjects {
  readonly #connection: S3Connection;
  readonly #server: KnownServer;

  constructor(connection: S3Connection, server: KnownServer) {
    this.#connection = connection;
    this.#server = server;
  }

  /** @returns undefined for a lock that was never taken */
  async read(name: string, options: OpOptions): Promise<SeenLease | undefined> {
    const object = await getSmall(this.#connection, this.#keyOf(name), MAX_LEASE_BYTES, options);
    if (object === undefined) return undefined;
    const { bytes, etag, modifiedAtMs } = object;
    return { lease: parseLease(name, bytes), etag, modifiedAtMs };
  }

  /**
   * @param expected the ETag of what is there; undefined: nothing is
   * @returns the new ETag; undefined when something else is there
   */
  async write(
    name: string,
    lease: Lease,
    expected: string | undefined,
    options: OpOptions,
  ): Promise<string | undefined> {
    const traits = await this.#server.traits(options);
    const canDecide = traits.conditionalPut && traits.ifMatch !== "none";
    if (!canDecide) return this.#writeUndecided(name, lease, expected, options);
    const headers = expected === undefined ? { IfNoneMatch: "*" } : ifMatchHeader(traits, expected);
    try {
      return await this.#put(name, lease, { headers, ...options });
    } catch (error) {
      // RadosGW answers 412 where AWS answers 404: what was to be replaced is gone.
      if (!isKeepsakeError(error, "E_ALREADY_EXISTS") && !isKeepsakeError(error, "E_NOT_FOUND")) throw error;
    }
    // An answer that was lost, and the call made again: then what is there is our own.
    const seen = await this.read(name, options);
    return seen !== undefined && isSameLease(seen.lease, lease) ? seen.etag : undefined;
  }

  /** The best that can be done without conditions: look, write, wait, and look whose it is. Two may still both believe. */
  async #writeUndecided(
    name: string,
    lease: Lease,
    expected: string | undefined,
    options: OpOptions,
  ): Promise<string | undefined> {
    if ((await this.read(name, options))?.etag !== expected) return undefined;
    await this.#put(name, lease, options);
    if (lease.renewal === 0 && !lease.released) await delay(SETTLE_MS, undefined, { signal: options.signal });
    const seen = await this.read(name, options);
    return seen !== undefined && isSameLease(seen.lease, lease) ? seen.etag : undefined;
  }

  #put(name: string, lease: Lease, options: Parameters<typeof putSmall>[3]): Promise<string> {
    return putSmall(this.#connection, this.#keyOf(name), Buffer.from(`${JSON.stringify(lease)}\n`), options);
  }

  #keyOf(name: string): string {
    return `${this.#connection.prefix}${OWN_FOLDER}locks/${name}.json`;
  }
}

function parseLease(name: string, bytes: Uint8Array): Lease {
  try {
    return leaseSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    throw new KeepsakeError("E_RECORD", `The object of the lock ${JSON.stringify(name)} is malformed.`, {
      context: { lock: name },
      hint: "Remove it when nobody works on the agent.",
    });
  }
}
