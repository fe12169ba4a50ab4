import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import type { TestPlace } from "./test-server.js";

/** What a bucket holds below a prefix, seen and changed with the library itself, past everything of ours. */
export class Truth implements AsyncDisposable {
  readonly client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor({ endpoint, bucket, prefix }: TestPlace) {
    this.#bucket = bucket;
    this.#prefix = `${prefix}/`;
    this.client = new S3Client({
      endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
  }

  async put(key: string, body: Uint8Array | string, more: Partial<PutObjectCommandInput> = {}): Promise<string> {
    const answer = await this.client.send(new PutObjectCommand({ ...this.#at(key), Body: Buffer.from(body), ...more }));
    return answer.ETag ?? "";
  }

  async get(key: string): Promise<Buffer> {
    const { Body } = await this.client.send(new GetObjectCommand(this.#at(key)));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async text(key: string): Promise<string> {
    return (await this.get(key)).toString();
  }

  async delete(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand(this.#at(key)));
  }

  async head(key: string) {
    return this.client.send(new HeadObjectCommand(this.#at(key)));
  }

  /** At most 1,000, without what the package keeps for itself. */
  async keys(below = ""): Promise<string[]> {
    const where = { Bucket: this.#bucket, Prefix: this.#prefix + below, EncodingType: "url" as const };
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command(where));
    const keys = Contents.map(({ Key = "" }) => decodeURIComponent(Key).slice(this.#prefix.length));
    return below === "" ? keys.filter((key) => !key.startsWith(".keepsake-s3/")) : keys;
  }

  /** The keys of unfinished uploads. */
  async uploads(): Promise<string[]> {
    const { Uploads = [] } = await this.client.send(
      new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: this.#prefix }),
    );
    return Uploads.map(({ Key = "" }) => Key.slice(this.#prefix.length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clear();
    this.client.destroy();
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  /** Where the objects are retained they stay: the server of the tests forgets them. */
  async #clear(): Promise<void> {
    const { Uploads = [] } = await this.client.send(
      new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: this.#prefix }),
    );
    for (const { Key, UploadId } of Uploads) {
      await this.client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }));
    }
    for (const below of ["", ".keepsake-s3/"]) {
      const Objects = (await this.keys(below)).map((key) => ({ Key: this.#prefix + key }));
      if (Objects.length === 0) continue;
      await this.client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }));
    }
  }
}
