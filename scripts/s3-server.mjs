/**
 * `node scripts/s3-server.mjs <command> …` runs a command beside a real S3 server: Ceph's RadosGW with one monitor and one
 * storage daemon in memory, on loopback alone. The command finds it in KEEPSAKE_TEST_S3 (address and bucket) and the usual
 * AWS variables. Needs root and the programs of `radosgw`, `ceph-mon`, `ceph-osd`; everything is gone when the command ends.
 */
import { pathToFileURL } from "node:url";
import { run } from "./lib.mjs";
import { startCeph } from "./s3-server/ceph.mjs";
import { makeBuckets } from "./s3-server/buckets.mjs";

const KEY = { id: "keepsake", secret: "keepsake-secret" };

/** @returns the environment in which tests find the server, and how to end it */
export async function startS3Server() {
  const ceph = await startCeph(KEY);
  try {
    const { bucket, lockedBucket } = await makeBuckets(ceph.endpoint, KEY);
    const env = {
      KEEPSAKE_TEST_S3: `${ceph.endpoint}/${bucket}`,
      KEEPSAKE_TEST_S3_LOCKED: `${ceph.endpoint}/${lockedBucket}`,
      AWS_ACCESS_KEY_ID: KEY.id,
      AWS_SECRET_ACCESS_KEY: KEY.secret,
      AWS_EC2_METADATA_DISABLED: "true",
      // Tests that use the library itself need not be told what the next year brings.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    };
    return { env, stop: ceph.stop };
  } catch (error) {
    await ceph.stop();
    throw error;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [command, ...args] = process.argv.slice(2);
  if (command === undefined) throw new Error("usage: node scripts/s3-server.mjs <command> …");
  const server = await startS3Server();
  process.stderr.write(`S3 server: ${server.env.KEEPSAKE_TEST_S3}\n`);
  try {
    process.exitCode = run(command, args, { env: { ...process.env, ...server.env } });
  } finally {
    await server.stop();
  }
}
