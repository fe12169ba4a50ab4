import { definePlugin, stateProvider } from "@keepsake/core";
import { z } from "zod";
import { jsonState } from "./json-state.js";

const options = z.strictObject({
  keys: z.record(z.string().regex(/^[a-z0-9_-]{1,64}$/), z.string().min(1)),
});

export default definePlugin({
  name: "json-state",
  api: 1,
  providers: [
    stateProvider("json-file", {
      options,
      create: ({ keys }, _resolver, { id, baseDir }) => jsonState({ id, keys, baseDir }),
    }),
  ],
});
