import { codecProvider, definePlugin, type Plugin } from "@keepsake/core";
import { z } from "zod";
import { myCodec } from "./my-codec.js";

export { myCodec, type MyCodecOptions } from "./my-codec.js";

/** The keys of the configuration's entry. Strict, so that a mistyped one is refused. */
const options = z.strictObject({ quality: z.int().min(0).max(11).optional() });

const plugin: Plugin = definePlugin({
  name: "my-codec",
  api: 1,
  providers: [codecProvider("my-codec", { options, create: ({ quality }) => myCodec({ quality }) })],
});
export default plugin;
