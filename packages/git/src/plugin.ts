import { definePlugin, sourceProvider } from "@keepsake/core";
import { z } from "zod";

const options = z.strictObject({
  root: z.string().min(1).optional(),
  nested: z.boolean().optional(),
  required: z.boolean().optional(),
  history: z.enum(["rewrite", "omit", "keep"]).optional(),
});

export default definePlugin({
  name: "git",
  api: 1,
  providers: [
    sourceProvider("git", {
      options,
      create: async (given, _resolver, { id }) => (await import("./git.js")).git({ id, ...given }),
    }),
  ],
});
