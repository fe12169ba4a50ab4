import { resolve } from "node:path";
import { definePlugin, lockProvider, storeProvider } from "@keepsake/core";
import { z } from "zod";
import { fileLocks } from "./file-locks.js";
import { localFs } from "./local-fs.js";

const storeOptions = z.strictObject({
  root: z.string().min(1).describe("The folder that holds the snapshots."),
});

const lockOptions = z.strictObject({
  root: z.string().min(1).describe("The folder that holds the locks."),
  lease_secs: z
    .number()
    .positive()
    .default(60)
    .describe("Seconds after which a holder on another machine that is not heard of is taken for dead."),
});

/** The store and the locks of this package, as `local-fs`. */
export default definePlugin({
  name: "local-fs",
  api: 1,
  providers: [
    storeProvider("local-fs", {
      options: storeOptions,
      create: ({ root }, _resolver, { id, baseDir }) =>
        localFs({ root: resolve(baseDir, root), ...(id === undefined ? {} : { id }) }),
    }),
    lockProvider("local-fs", {
      options: lockOptions,
      create: ({ root, lease_secs }, _resolver, { baseDir }) =>
        fileLocks({ root: resolve(baseDir, root), leaseMs: lease_secs * 1000 }),
    }),
  ],
});
