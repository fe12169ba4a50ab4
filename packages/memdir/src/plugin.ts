import { definePlugin, sourceProvider } from "@keepsake/core";
import { z } from "zod";

const options = z.strictObject({
  root: z.string().min(1).optional(),
  include: z.array(z.string().min(1)).optional(),
  exclude: z.array(z.string().min(1)).optional(),
  keep: z.array(z.string().min(1)).optional(),
  max_file_bytes: z.int().positive().nullable().optional(),
  required: z.boolean().optional(),
});

export default definePlugin({
  name: "memdir",
  api: 1,
  providers: [
    sourceProvider("memdir", {
      options,
      async create({ max_file_bytes: maxFileBytes, ...rest }, _resolver, { id }) {
        const { memdir } = await import("./memdir.js");
        return memdir({ id, maxFileBytes, ...rest });
      },
    }),
  ],
});
