import { isKeepsakeError, type Logger, type OpOptions, orAborted } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { OWN_FOLDER } from "../objects/keys.js";
import { getSmall, putSmall } from "../objects/small-object.js";
import { probeServer } from "./probe-server.js";
import { keptTraitsSchema, type ServerTraits, traitsFromWire, traitsToWire, UNTRIED } from "./server-traits.js";

const KEPT_KEY = `${OWN_FOLDER}server.json`;
const MAX_KEPT_BYTES = 64 * 1024;
/** Servers are exchanged and updated. */
const TRIED_AGAIN_AFTER_MS = 7 * 24 * 3_600_000;

/** What is known of the server behind a connection: as kept beside the objects, or as tried out when it is first needed. */
export class KnownServer {
  readonly #connection: S3Connection;
  readonly #logger: Logger | undefined;
  #traits: Promise<ServerTraits> | undefined;
  #known: ServerTraits | undefined;

  constructor(connection: S3Connection, logger: Logger | undefined) {
    this.#connection = connection;
    this.#logger = logger;
  }

  /** undefined before anybody asked */
  get known(): ServerTraits | undefined {
    return this.#known;
  }

  /** @throws KeepsakeError when the server cannot be reached, or does not let this user write */
  traits(options: OpOptions): Promise<ServerTraits> {
    this.#traits ??= this.#find();
    const traits = this.#traits;
    // A failure is not remembered.
    traits.catch(() => (this.#traits = undefined));
    // Who waits for what others wait for too may give up alone.
    return orAborted(traits, options.signal);
  }

  /** Tries the server out, whatever is known of it. */
  async tryOut(options: OpOptions): Promise<ServerTraits> {
    const traits = await probeServer(this.#connection, options);
    this.#remember(traits);
    this.#traits = Promise.resolve(traits);
    await this.#keep(traits, options);
    return traits;
  }

  async #find(): Promise<ServerTraits> {
    const kept = await this.#kept();
    if (kept !== undefined) return this.#remember(kept);
    try {
      const traits = await probeServer(this.#connection);
      await this.#keep(traits, {});
      return this.#remember(traits);
    } catch (error) {
      if (!isKeepsakeError(error, "E_PERMISSION")) throw error;
      // Perhaps what is to be done can be done all the same.
      this.#logger?.warn("the S3 server cannot be tried out", { where: this.#connection.describe(), code: error.code });
      return UNTRIED;
    }
  }

  #remember(traits: ServerTraits): ServerTraits {
    this.#known = traits;
    if (!traits.conditionalPut) {
      this.#logger?.warn("the S3 server writes over what exists: two writers of one name are not kept apart", {
        where: this.#connection.describe(),
      });
    }
    return traits;
  }

  async #kept(): Promise<ServerTraits | undefined> {
    try {
      const object = await getSmall(this.#connection, this.#connection.prefix + KEPT_KEY, MAX_KEPT_BYTES);
      if (object === undefined) return undefined;
      const kept = keptTraitsSchema.safeParse(JSON.parse(Buffer.from(object.bytes).toString("utf8")));
      if (!kept.success || kept.data.place !== this.#connection.place) return undefined;
      return Date.now() - kept.data.tried_at_ms < TRIED_AGAIN_AFTER_MS ? traitsFromWire(kept.data) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || isKeepsakeError(error, "E_LIMIT")) return undefined;
      throw error;
    }
  }

  async #keep(traits: ServerTraits, options: OpOptions): Promise<void> {
    const kept = { version: 1, place: this.#connection.place, tried_at_ms: Date.now(), ...traitsToWire(traits) };
    const bytes = Buffer.from(`${JSON.stringify(kept)}\n`);
    await putSmall(this.#connection, this.#connection.prefix + KEPT_KEY, bytes, options);
  }
}
