import { definePlugin, stateProvider } from "@keepsake/core";
import { z } from "zod";

const options = z.strictObject({
  keys: z.record(z.string().regex(/^[a-z0-9_-]{1,64}$/), z.string().min(1)),
});

export default definePlugin({
  name: "json-state",
  api: 1,
  providers: [
    stateProvider("json-file", {
      options,
      create: async ({ keys }, _resolver, { id, baseDir }) =>
        (await import("./json-state.js")).jsonState({ id, keys, baseDir }),
    }),
  ],
});
