import { resolve } from "node:path";
import { definePlugin, type Plugin, storeProvider } from "@keepsake/core";
import { z } from "zod";
import { myStore } from "./my-store.js";

export { myStore, type MyStoreOptions } from "./my-store.js";

/** The keys of the configuration's entry. Strict, so that a mistyped one is refused. */
const options = z.strictObject({ root: z.string().min(1) });

const plugin: Plugin = definePlugin({
  name: "my-store",
  api: 1,
  providers: [
    storeProvider("my-store", {
      options,
      create: ({ root }, _resolver, { id, baseDir }) => myStore({ id, root: resolve(baseDir, root) }),
    }),
  ],
});
export default plugin;
