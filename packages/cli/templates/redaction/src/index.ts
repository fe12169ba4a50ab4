import { definePlugin, type Plugin, redactionProvider } from "@keepsake/core";
import { z } from "zod";
import { myRedaction } from "./my-redaction.js";

export { myRedaction, type MyRedactionOptions } from "./my-redaction.js";

/** The keys of the configuration's entry. Strict, so that a mistyped one is refused. */
const options = z.strictObject({ prefix: z.string().min(1).optional() });

const plugin: Plugin = definePlugin({
  name: "my-redaction",
  api: 1,
  providers: [redactionProvider("my-redaction", { options, create: ({ prefix }) => myRedaction({ prefix }) })],
});
export default plugin;
