import { randomUUID } from "node:crypto";
import type { OpendalStoreOptions } from "../../src/index.js";

const ADDRESS = "KEEPSAKE_TEST_S3";

/** Whether there is an S3 server for tests; an error where there has to be one. */
export const hasS3Server = lookFor();

function lookFor(): boolean {
  if (process.env[ADDRESS] !== undefined) return true;
  if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error(`${ADDRESS} is required and not set`);
  console.log(`${ADDRESS} is not set: what needs an S3 server is left out (node scripts/s3-server.mjs npm test)`);
  return false;
}

/** A place of a test's own on that server. @param endpoint another way to it */
export function s3Service(endpoint?: string): OpendalStoreOptions {
  const address = new URL(process.env[ADDRESS] ?? "");
  return {
    scheme: "s3",
    options: {
      bucket: address.pathname.slice(1),
      root: `/test/${randomUUID()}/`,
      endpoint: endpoint ?? address.origin,
      region: "us-east-1",
      access_key_id: process.env["AWS_ACCESS_KEY_ID"] ?? "",
      secret_access_key: process.env["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  };
}
