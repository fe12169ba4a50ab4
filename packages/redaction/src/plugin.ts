import { definePlugin, redactionProvider } from "@keepsake/core";
import { defaultPolicy } from "./rule-policy.js";

/** The policy `default`. It takes no options. */
export default definePlugin({
  name: "redaction",
  api: 1,
  providers: [redactionProvider("default", { create: () => defaultPolicy() })],
});
