import { definePlugin, sourceProvider } from "@keepsake/core";
import { z } from "zod";

const options = z
  .strictObject({
    root: z.string().min(1).optional(),
    nested: z.boolean().optional(),
    required: z.boolean().optional(),
    history: z.enum(["rewrite", "omit", "keep"]).optional(),
    oid_map: z.boolean().optional(),
  })
  .refine(({ history = "rewrite", oid_map: isWanted = false }) => !isWanted || history === "rewrite", {
    path: ["oid_map"],
    message: "is of a history that is rewritten (`history: rewrite`)",
  });

export default definePlugin({
  name: "git",
  api: 1,
  providers: [
    sourceProvider("git", {
      options,
      create: async ({ oid_map: oidMap, ...given }, _resolver, { id }) =>
        (await import("./git.js")).git({ id, ...given, oidMap }),
    }),
  ],
});
