import type { PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { type JsonObject, KeepsakeError, type OpOptions, parseArtifactPath } from "@keepsake/core";
import { loadSdk, quietClient, type Sdk } from "./load-sdk.js";
import type { S3Place } from "./place.js";
import { failureOf, keepsakeErrorOf } from "./s3-failure.js";
import { ServerClock } from "./server-clock.js";

/** What a call is about, for its errors. */
export interface Call extends OpOptions {
  /** what is being done, without a full stop */
  readonly sentence: string;
  readonly context?: JsonObject;
}

/** What a call is made with. */
export interface Line {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly bucket: string;
  readonly http: { readonly abortSignal?: AbortSignal };
}

const DEFAULT_ATTEMPTS = 4;
export const DEFAULT_TIMEOUT_MS = 30_000;

/** One bucket of one server, reached when it is first needed. What a call throws is a KeepsakeError, or the signal's reason. */
export class S3Connection implements AsyncDisposable {
  readonly bucket: string;
  /** empty, or ends with `/` */
  readonly prefix: string;
  readonly clock = new ServerClock();
  readonly attempts: number;
  /** the headers of every object that is written */
  readonly encryption: Pick<PutObjectCommandInput, "ServerSideEncryption" | "SSEKMSKeyId">;
  readonly #place: S3Place;
  #opened: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined;
  #bucketIsThere = false;
  #isClosed = false;

  constructor(place: S3Place) {
    this.#place = place;
    this.bucket = place.bucket;
    const prefix = (place.prefix ?? "").replace(/\/+$/, "");
    this.prefix = prefix === "" ? "" : `${parseArtifactPath(prefix)}/`;
    this.attempts = place.attempts ?? DEFAULT_ATTEMPTS;
    const { encryption } = place;
    this.encryption = {
      ...(encryption && { ServerSideEncryption: encryption.algorithm }),
      ...(encryption?.keyId !== undefined && { SSEKMSKeyId: encryption.keyId }),
    };
  }

  /** "bucket b at https://host, below p/" */
  describe(): string {
    const where = this.#place.endpoint === undefined ? "" : ` at ${this.#place.endpoint}`;
    return `bucket ${this.bucket}${where}${this.prefix === "" ? "" : `, below ${this.prefix}`}`;
  }

  /** True when what is sent can be read on the way: on this machine there is no way. */
  get isPlain(): boolean {
    const { protocol, hostname } = new URL(this.#place.endpoint ?? "https://aws");
    return protocol === "http:" && !/^(localhost|127\..*|\[::1\])$/.test(hostname);
  }

  /** Identifies the place, so that what is known of one is not believed of another. */
  get place(): string {
    return `${this.#place.endpoint ?? "aws"} ${this.bucket}`;
  }

  async call<T>({ sentence, context = {}, signal }: Call, make: (line: Line) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw new TypeError(`The connection to ${this.describe()} is closed.`);
    try {
      const { sdk, client } = await this.#open();
      // One of its own: the library leaves a listener on it until the connection ends, and calls are made side by side.
      const http = signal === undefined ? {} : { abortSignal: AbortSignal.any([signal]) };
      const result = await make({ sdk, client, bucket: this.bucket, http });
      this.#bucketIsThere = true;
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      if (failureOf(error)?.status === 404) await this.#assertBucket(error, sentence, signal);
      throw keepsakeErrorOf(error, sentence, { ...context, bucket: this.bucket });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const opened = await this.#opened?.catch(() => undefined);
    opened?.client.destroy();
  }

  #open(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    this.#opened ??= this.#connect();
    // What could not be loaded or read may be there next time.
    this.#opened.catch(() => (this.#opened = undefined));
    return this.#opened;
  }

  async #connect(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    const { endpoint, region, pathStyle, credentials, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#place;
    const sdk = await loadSdk();
    const client = quietClient(sdk, {
      ...(endpoint === undefined ? {} : { endpoint, region: "us-east-1" }),
      ...(region === undefined ? {} : { region }),
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: pathStyle ?? endpoint !== undefined,
      maxAttempts: this.attempts,
      // Older servers refuse what they do not know; digests are given where the server was seen to check them.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: { connectionTimeout: timeoutMs, socketTimeout: timeoutMs },
    });
    const { requestHandler } = client.config;
    const handle = requestHandler.handle.bind(requestHandler);
    requestHandler.handle = async (...args) => {
      const answer = await handle(...args);
      const { headers } = answer.response as { readonly headers: Readonly<Record<string, string>> };
      this.clock.note(headers["date"]);
      return answer;
    };
    return { sdk, client };
  }

  /** To HEAD a server answers 404 without saying of what: an object that is missing, or the whole bucket. */
  async #assertBucket(cause: unknown, sentence: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#bucketIsThere) return;
    let isMissing = failureOf(cause)?.name === "NoSuchBucket";
    if (!isMissing && failureOf(cause)?.name === "NotFound") {
      const { sdk, client } = await this.#open();
      const http = signal === undefined ? {} : { abortSignal: signal };
      isMissing = await client.send(new sdk.HeadBucketCommand({ Bucket: this.bucket }), http).then(
        () => false,
        (error: unknown) => failureOf(error)?.status === 404,
      );
    }
    signal?.throwIfAborted();
    if (!isMissing) {
      this.#bucketIsThere = true;
      return;
    }
    throw new KeepsakeError("E_CONFIG", `${sentence}: there is no bucket ${JSON.stringify(this.bucket)}.`, {
      context: { bucket: this.bucket },
      hint: "Make the bucket with the server's own tools, or correct `bucket` and `endpoint`.",
    });
  }
}
