import { createHash, randomUUID } from "node:crypto";
import { isKeepsakeError, type OpOptions, streamOf } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { OWN_FOLDER } from "../objects/keys.js";
import { pagesBelow } from "../objects/list-objects.js";
import { MultipartUpload } from "../objects/multipart-upload.js";
import { deleteObject } from "../objects/object-facts.js";
import { PartReader } from "../objects/part-reader.js";
import { putSmall, UNTRIED_DIGESTS } from "../objects/small-object.js";
import { ifMatchHeader, type ServerTraits } from "./server-traits.js";

/** Where the objects of a trial lie, below the store's prefix. */
export const TRIAL_FOLDER = `${OWN_FOLDER}trial/`;
const RACERS = 8;
const CLEAN_UP_LIMIT_MS = 15_000;

/**
 * Tries out what the server does, with small objects in a folder of their own, which it removes.
 *
 * What is refused counts as not there. Only what shows that the place cannot be used at all is thrown.
 */
export async function probeServer(connection: S3Connection, options: OpOptions = {}): Promise<ServerTraits> {
  const trial = new Trial(connection, options);
  try {
    // The first call tells whether there is a bucket, and whether it may be written to. The others do not meet.
    const etag = await trial.put("plain");
    const [conditionalPut, conditionalMultipart, ifMatch, sha256, md5, listsAtOnce, objectLock, versioned] =
      await Promise.all([
        trial.letsOneWin(),
        trial.refusesCompletion(),
        trial.ifMatch("plain", etag),
        trial.refuses("SHA256"),
        trial.refuses("MD5"),
        trial.listsAtOnce(),
        trial.objectLock(),
        trial.isVersioned(),
      ]);
    const digests = { sha256, md5 };
    return { conditionalPut, conditionalMultipart, ifMatch, digests, listsAtOnce, objectLock, versioned };
  } finally {
    await trial.cleanUp();
  }
}

/** The objects of one trial. */
class Trial {
  readonly #connection: S3Connection;
  readonly #options: OpOptions;
  readonly #folder: string;
  readonly #keys = new Set<string>();

  constructor(connection: S3Connection, options: OpOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#folder = `${connection.prefix}${TRIAL_FOLDER}${randomUUID()}/`;
  }

  async put(name: string, headers: NonNullable<Parameters<typeof putSmall>[3]>["headers"] = {}): Promise<string> {
    const body = Buffer.from(`${name} ${randomUUID()}`);
    return putSmall(this.#connection, this.#key(name), body, { ...this.#options, headers });
  }

  /** Several at once: a server that looks first and writes then lets several win. */
  async letsOneWin(): Promise<boolean> {
    const racers = Array.from({ length: RACERS }, () => this.#isDone(() => this.put("race", { IfNoneMatch: "*" })));
    const won = (await Promise.all(racers)).filter(Boolean);
    return won.length === 1 && !(await this.#isDone(() => this.put("race", { IfNoneMatch: "*" })));
  }

  async ifMatch(name: string, etag: string): Promise<ServerTraits["ifMatch"]> {
    const stranger = createHash("md5").update("another object").digest("hex");
    for (const ifMatch of ["quoted", "bare"] as const) {
      if (await this.#isDone(() => this.put(name, ifMatchHeader({ ifMatch }, stranger)))) return "none";
      if (await this.#isDone(() => this.put(name, ifMatchHeader({ ifMatch }, etag)))) return ifMatch;
    }
    return "none";
  }

  async refusesCompletion(): Promise<boolean> {
    const name = "completed";
    await this.put(name);
    const upload = await MultipartUpload.begin(
      { connection: this.#connection, key: this.#key(name), signal: this.#options.signal },
      { partBytes: 1, parallel: 1, digests: UNTRIED_DIGESTS, headers: {} },
    );
    try {
      await upload.send({ bytes: Buffer.from("part"), isLast: true }, new PartReader(streamOf("")));
      return !(await this.#isDone(() => upload.complete(true)));
    } finally {
      await upload.abort();
    }
  }

  /** @returns true when a digest of other bytes makes the server refuse them */
  async refuses(algorithm: "SHA256" | "MD5"): Promise<boolean> {
    const wrong = createHash(algorithm).update("other bytes").digest("base64");
    const headers =
      algorithm === "MD5" ? { ContentMD5: wrong } : { ChecksumAlgorithm: algorithm, ChecksumSHA256: wrong };
    return !(await this.#isDone(() => this.put(`wrong-${algorithm}`, headers)));
  }

  async listsAtOnce(): Promise<boolean> {
    await this.put("listed");
    const shows = async (): Promise<boolean> => {
      for await (const { rawKey } of pagesBelow(this.#connection, this.#folder, this.#options.signal)) {
        if (rawKey === this.#key("listed")) return true;
      }
      return false;
    };
    if (!(await shows())) return false;
    await deleteObject(this.#connection, this.#key("listed"), this.#options);
    return !(await shows());
  }

  async objectLock(): Promise<ServerTraits["objectLock"]> {
    const call = { sentence: "The bucket's object lock could not be looked at", ...this.#options };
    try {
      const answer = await this.#connection.call(call, ({ sdk, client, bucket, http }) =>
        client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket: bucket }), http),
      );
      return answer.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled" ? "enabled" : "disabled";
    } catch (error) {
      this.#throwUnlessRefused(error);
      return isKeepsakeError(error, "E_NOT_FOUND") ? "disabled" : "unknown";
    }
  }

  async isVersioned(): Promise<boolean> {
    const call = { sentence: "The bucket's versioning could not be looked at", ...this.#options };
    try {
      const answer = await this.#connection.call(call, ({ sdk, client, bucket, http }) =>
        client.send(new sdk.GetBucketVersioningCommand({ Bucket: bucket }), http),
      );
      return answer.Status === "Enabled";
    } catch (error) {
      this.#throwUnlessRefused(error);
      return false;
    }
  }

  async cleanUp(): Promise<void> {
    const signal = AbortSignal.timeout(CLEAN_UP_LIMIT_MS);
    // What cannot be removed now, a sweep removes.
    await Promise.allSettled([...this.#keys].map((key) => deleteObject(this.#connection, key, { signal })));
  }

  #key(name: string): string {
    const key = `${this.#folder}${name}`;
    this.#keys.add(key);
    return key;
  }

  async #isDone(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      this.#throwUnlessRefused(error);
      return false;
    }
  }

  /** A server that says no has answered; one that cannot answer has not. */
  #throwUnlessRefused(error: unknown): void {
    this.#options.signal?.throwIfAborted();
    const status = isKeepsakeError(error) ? Number(error.context["status"]) : Number.NaN;
    if (!(status >= 400 && (status < 500 || status === 501))) throw error;
  }
}
