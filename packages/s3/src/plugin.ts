import {
  definePlugin,
  LOGGER,
  lockProvider,
  type Resolver,
  type SecretReader,
  SECRETS,
  secretRefSchema,
  storeProvider,
} from "@keepsake/core";
import { z } from "zod";
import type { S3Credentials, S3Place } from "./connection/place.js";
import { MIN_PART_BYTES } from "./objects/part-sizes.js";

/** Objects of these classes have to be brought back before they can be read, which takes hours. */
const ARCHIVES = ["GLACIER", "DEEP_ARCHIVE"];

const endpoint = z
  .string()
  .refine(isAddress, "expected an address, https://host[:port], with neither a path nor credentials in it");

function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search } = new URL(text);
  return /^https?:$/.test(protocol) && `${username}${password}${search}` === "" && pathname === "/";
}

const place = {
  bucket: z.string().min(1).describe("The bucket; it must exist."),
  prefix: z.string().optional().describe("What every key begins with, a folder; default: none."),
  endpoint: endpoint.optional().describe("The server's address; default: AWS, as the region says."),
  region: z.string().min(1).optional().describe("Default: us-east-1 with an endpoint, else as the environment says."),
  path_style: z.boolean().optional().describe("The bucket in the path, not in the host; default: with an endpoint."),
  credentials: z
    .strictObject({
      access_key_id: secretRefSchema,
      secret_access_key: secretRefSchema,
      session_token: secretRefSchema.optional(),
    })
    .optional()
    .describe("Secret references; default: the usual chain of environment, profiles and the machine's role."),
  server_encryption: z
    .strictObject({
      algorithm: z.enum(["AES256", "aws:kms", "aws:kms:dsse"]),
      key_id: z.string().min(1).optional(),
    })
    .optional()
    .describe("How the server encrypts what it stores; default: as the bucket says."),
  timeout_secs: z
    .number()
    .positive()
    .max(3600)
    .default(30)
    .describe("Seconds of silence after which a call is broken off."),
  attempts: z.int().min(1).max(20).default(4).describe("How often a call is tried."),
};

const storeOptions = z.strictObject({
  ...place,
  storage_class: z
    .string()
    .min(1)
    .refine((name) => !ARCHIVES.includes(name), "bundles in an archive class cannot be read when they are needed")
    .optional()
    .describe("The storage class of what is written; default: the bucket's."),
  object_lock: z
    .strictObject({ mode: z.enum(["GOVERNANCE", "COMPLIANCE"]), days: z.number().positive() })
    .optional()
    .describe("How long the server keeps what is written, also from you; needs a bucket with object lock."),
  part_bytes: z
    .int()
    .min(MIN_PART_BYTES)
    .max(1024 ** 3)
    .optional()
    .describe("The size of the first parts of large objects; a few are held in memory. Default: 8 MiB."),
  parallel_parts: z.int().min(1).max(64).optional().describe("How many parts are sent at once; default: 2."),
});

const lockOptions = z.strictObject({
  ...place,
  lease_secs: z
    .number()
    .positive()
    .default(60)
    .describe("Seconds after which a holder that is not heard of is taken for dead."),
});

type PlaceOptions = Pick<z.output<typeof storeOptions>, keyof typeof place>;

function placeOf(options: PlaceOptions, resolver: Resolver): S3Place {
  const { server_encryption: encryption, credentials } = options;
  return {
    bucket: options.bucket,
    ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint.replace(/\/$/, "") }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.path_style === undefined ? {} : { pathStyle: options.path_style }),
    ...(credentials === undefined ? {} : { credentials: () => read(credentials, resolver.get(SECRETS)) }),
    ...(encryption && {
      encryption: {
        algorithm: encryption.algorithm,
        ...(encryption.key_id === undefined ? {} : { keyId: encryption.key_id }),
      },
    }),
    timeoutMs: options.timeout_secs * 1000,
    attempts: options.attempts,
    logger: resolver.get(LOGGER),
  };
}

async function read(
  { access_key_id, secret_access_key, session_token }: NonNullable<PlaceOptions["credentials"]>,
  secrets: SecretReader,
): Promise<S3Credentials> {
  const [accessKeyId, secretAccessKey] = [await secrets.read(access_key_id), await secrets.read(secret_access_key)];
  if (session_token === undefined) return { accessKeyId, secretAccessKey };
  return { accessKeyId, secretAccessKey, sessionToken: await secrets.read(session_token) };
}

/** The store and the locks of this package, as `s3`. */
export default definePlugin({
  name: "s3",
  api: 1,
  providers: [
    storeProvider("s3", {
      options: storeOptions,
      async create(options, resolver, { id }) {
        const { s3Store } = await import("./s3-store.js");
        return s3Store({
          ...placeOf(options, resolver),
          ...(id === undefined ? {} : { id }),
          ...(options.storage_class === undefined ? {} : { storageClass: options.storage_class }),
          ...(options.object_lock === undefined ? {} : { retention: options.object_lock }),
          ...(options.part_bytes === undefined ? {} : { partBytes: options.part_bytes }),
          ...(options.parallel_parts === undefined ? {} : { parallelParts: options.parallel_parts }),
        });
      },
    }),
    lockProvider("s3", {
      options: lockOptions,
      async create(options, resolver) {
        const { s3Locks } = await import("./s3-locks.js");
        return s3Locks({ ...placeOf(options, resolver), leaseMs: options.lease_secs * 1000 });
      },
    }),
  ],
});
