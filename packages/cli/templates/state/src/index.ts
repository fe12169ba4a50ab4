import { resolve } from "node:path";
import { definePlugin, type Plugin, stateProvider } from "@keepsake/core";
import { z } from "zod";
import { myState } from "./my-state.js";

export { myState, type MyStateOptions } from "./my-state.js";

/** The keys of the configuration's entry. Strict, so that a mistyped one is refused. */
const options = z.strictObject({
  folder: z.string().min(1),
  keys: z.array(z.string().regex(/^[a-z0-9_-]{1,64}$/)).min(1),
});

const plugin: Plugin = definePlugin({
  name: "my-state",
  api: 1,
  providers: [
    stateProvider("my-state", {
      options,
      create: ({ folder, keys }, _resolver, { id, baseDir }) => myState({ id, folder: resolve(baseDir, folder), keys }),
    }),
  ],
});
export default plugin;
