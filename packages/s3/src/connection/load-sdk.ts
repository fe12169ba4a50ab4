import type * as sdkTypes from "@aws-sdk/client-s3";
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { KeepsakeError } from "@keepsake/core";

/** The library for S3; a second of loading, so it is loaded when it is first needed. */
export type Sdk = typeof sdkTypes;

/** @throws KeepsakeError `E_PLUGIN_LOAD` when it is not installed */
export async function loadSdk(): Promise<Sdk> {
  try {
    return await import("@aws-sdk/client-s3");
  } catch (cause) {
    throw new KeepsakeError("E_PLUGIN_LOAD", "The package @aws-sdk/client-s3 cannot be loaded.", {
      cause,
      hint: "Install it beside @keepsake/s3: npm install @aws-sdk/client-s3",
    });
  }
}

const SILENCED = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";

/** Makes a client without its advertisement for newer Node versions, which would get between the lines of a program's stderr. */
export function quietClient(sdk: Sdk, config: S3ClientConfig): S3Client {
  const before = process.env[SILENCED];
  process.env[SILENCED] = "true";
  try {
    return new sdk.S3Client(config);
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, SILENCED);
    else process.env[SILENCED] = before;
  }
}
