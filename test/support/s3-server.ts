import { randomUUID } from "node:crypto";

/** Where a test's objects lie on the S3 server of the tests. */
export interface S3TestPlace {
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
}

/** What S3 tests run against, or undefined; an error where it must be there and is not. */
export const hasS3Server = lookFor();

function lookFor(): boolean {
  if (process.env["KEEPSAKE_TEST_S3"] !== undefined) return true;
  if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error("KEEPSAKE_TEST_S3 is required and not set");
  console.log("KEEPSAKE_TEST_S3 is not set: what needs an S3 server is left out (node scripts/s3-server.mjs npm test)");
  return false;
}

/** A place of a test's own. */
export function s3TestPlace(): S3TestPlace {
  const address = new URL(process.env["KEEPSAKE_TEST_S3"] ?? "");
  return { endpoint: address.origin, bucket: address.pathname.slice(1), prefix: `test/${randomUUID()}` };
}
