import { resolve } from "node:path";
import { definePlugin, lockProvider, STATE_ROOT, storeProvider } from "@keepsake/core";
import { z } from "zod";

const storeOptions = z.strictObject({
  root: z.string().min(1).optional().describe("The folder that holds the snapshots; default: the state root."),
});

const lockOptions = z.strictObject({
  root: z.string().min(1).optional().describe("The folder that holds the locks; default: the state root."),
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
      async create({ root }, resolver, { id, baseDir }) {
        const { localFs } = await import("./local-fs.js");
        return localFs({
          root: resolve(baseDir, root ?? resolver.get(STATE_ROOT)),
          ...(id === undefined ? {} : { id }),
        });
      },
    }),
    lockProvider("local-fs", {
      options: lockOptions,
      async create({ root, lease_secs }, resolver, { baseDir }) {
        const { fileLocks } = await import("./file-locks.js");
        return fileLocks({ root: resolve(baseDir, root ?? resolver.get(STATE_ROOT)), leaseMs: lease_secs * 1000 });
      },
    }),
  ],
});
