import { definePlugin, sourceProvider } from "@keepsake/core";
import { z } from "zod";

const name = z.string().min(1);

const options = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9_]{1,64}$/)
    .optional(),
  root: name.optional(),
  include: z.array(name).optional(),
  exclude: z.array(name).optional(),
  required: z.array(name).optional(),
  kinds: z.record(name, name).optional(),
  embeddings: z.enum(["keep", "null"]).optional(),
  hold_timeout_ms: z.int().min(0).max(60_000).optional(),
});

/** `use: sqlite` in the configuration. */
const plugin = definePlugin({
  name: "sqlite",
  api: 1,
  providers: [
    sourceProvider("sqlite", {
      options,
      async create({ hold_timeout_ms: holdTimeoutMs, ...rest }, _resolver, { id }) {
        const { sqlite } = await import("./source.js");
        return sqlite({ ...rest, id: rest.id ?? id, holdTimeoutMs });
      },
    }),
  ],
});

export default plugin;
