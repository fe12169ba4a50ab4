import { resolve } from "node:path";
import { definePlugin, lockProvider, type Plugin } from "@keepsake/core";
import { z } from "zod";
import { myLock } from "./my-lock.js";

export { myLock, type MyLockOptions } from "./my-lock.js";

/** The keys of the configuration's entry. Strict, so that a mistyped one is refused. */
const options = z.strictObject({
  root: z.string().min(1),
  /** Keepsake hands it to all locks that take options. Whether a holder lives is asked of the system here, without a lease. */
  lease_secs: z.number().positive().optional(),
});

const plugin: Plugin = definePlugin({
  name: "my-lock",
  api: 1,
  providers: [
    lockProvider("my-lock", {
      options,
      create: ({ root }, _resolver, { baseDir }) => myLock({ root: resolve(baseDir, root) }),
    }),
  ],
});
export default plugin;
