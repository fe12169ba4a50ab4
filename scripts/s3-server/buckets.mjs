/** The buckets of the tests: a plain one, and one whose objects can be retained. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "../lib.mjs";

export async function makeBuckets(endpoint, { id, secret }) {
  const { CreateBucketCommand, S3Client } = createRequire(join(root, "packages/s3/package.json"))("@aws-sdk/client-s3");
  const credentials = { accessKeyId: id, secretAccessKey: secret };
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  const [bucket, lockedBucket] = ["keepsake-test", "keepsake-test-locked"];
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    await client.send(new CreateBucketCommand({ Bucket: lockedBucket, ObjectLockEnabledForBucket: true }));
  } finally {
    client.destroy();
  }
  return { bucket, lockedBucket };
}
