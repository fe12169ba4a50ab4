import { resolve } from "node:path";
import {
  definePlugin,
  type SecretReader,
  type SecretRef,
  SECRETS,
  secretRefSchema,
  storeProvider,
} from "@keepsake/core";
import { z } from "zod";
import { MIN_PART_BYTES } from "./parts.js";

const value = z.union([z.string(), z.number(), z.boolean(), secretRefSchema], {
  error: "expected a text, a number, true, false, or a secret reference",
});

const keys = z.strictObject({
  scheme: z
    .string()
    .regex(/^[a-z0-9_-]+$/, "expected the name of a service of OpenDAL, such as gcs, azblob or webdav")
    .describe("The service, as OpenDAL calls it: gcs, azblob, webdav, …"),
  options: z
    .record(z.string(), value)
    .default({})
    .describe("The service's options, as OpenDAL documents them; a secret is a secret reference."),
  root: z
    .string()
    .min(1)
    .optional()
    .describe("The folder in the service that holds the snapshots; default: as the service says."),
  timeout_secs: z
    .number()
    .positive()
    .max(3600)
    .default(60)
    .describe("Seconds of silence after which a call is given up."),
  part_bytes: z
    .int()
    .min(MIN_PART_BYTES)
    .max(1024 ** 3)
    .optional()
    .describe("The size of the first parts of large objects; a few are held in memory. Default: 8 MiB."),
  single_bytes: z
    .int()
    .min(1024)
    .optional()
    .describe("The largest object for a service that takes it in one piece only; held in memory. Default: 64 MiB."),
});

const storeOptions = keys.refine(
  ({ scheme, root, options }) => scheme !== "fs" || root !== undefined || options["root"] !== undefined,
  { path: ["root"], error: "is needed for the scheme fs: the folder that holds the snapshots" },
);

type Values = z.output<typeof storeOptions>["options"];

/** The library takes texts alone. */
async function texts(values: Values, secrets: SecretReader) {
  const options: Record<string, string> = {};
  const hidden: string[] = [];
  for (const [name, given] of Object.entries(values)) {
    options[name] = isReference(given) ? await secrets.read(given) : String(given);
    if (isReference(given)) hidden.push(options[name]);
  }
  return { options, secrets: hidden };
}

function isReference(given: Values[string]): given is SecretRef {
  return typeof given === "object";
}

/** The store of this package, as `opendal`. */
export default definePlugin({
  name: "opendal",
  api: 1,
  providers: [
    storeProvider("opendal", {
      options: storeOptions,
      async create({ scheme, options: values, ...rest }, resolver, { id, baseDir }) {
        const { options, secrets } = await texts(values, resolver.get(SECRETS));
        const root = rest.root ?? options["root"];
        if (root !== undefined) options["root"] = scheme === "fs" ? resolve(baseDir, root) : root;
        const { opendalStore } = await import("./opendal-store.js");
        return opendalStore({
          scheme,
          options,
          secrets,
          timeoutMs: rest.timeout_secs * 1000,
          ...(id === undefined ? {} : { id }),
          ...(rest.part_bytes === undefined ? {} : { partBytes: rest.part_bytes }),
          ...(rest.single_bytes === undefined ? {} : { singleBytes: rest.single_bytes }),
        });
      },
    }),
  ],
});
