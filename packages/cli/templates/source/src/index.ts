import { definePlugin, type Plugin, sourceProvider } from "@keepsake/core";
import { z } from "zod";
import { mySource } from "./my-source.js";

export { mySource, type MySourceOptions } from "./my-source.js";

/** The keys of the configuration's entry. Strict, so that a mistyped one is refused. */
const options = z.strictObject({ path: z.string().min(1), required: z.boolean().optional() });

const plugin: Plugin = definePlugin({
  name: "my-source",
  api: 1,
  providers: [
    sourceProvider("my-source", {
      options,
      create: (given, _resolver, { id }) => mySource({ ...given, id }),
    }),
  ],
});
export default plugin;
