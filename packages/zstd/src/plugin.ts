import { codecProvider, definePlugin } from "@keepsake/core";
import { z } from "zod";
import { MAX_FRAME_BYTES, MIN_FRAME_BYTES } from "./frame-sizes.js";

const options = z.strictObject({
  level: z.int().min(1).max(22).default(3),
  frame_bytes: z.int().min(MIN_FRAME_BYTES).max(MAX_FRAME_BYTES).optional(),
  concurrency: z.int().min(1).max(64).optional(),
  backend: z.enum(["auto", "native", "fzstd"]).default("auto"),
});

export default definePlugin({
  name: "zstd",
  api: 1,
  providers: [
    codecProvider("zstd", {
      options,
      create: async ({ level, frame_bytes: frameBytes, concurrency, backend }) =>
        (await import("./zstd.js")).zstd({ level, frameBytes, concurrency, backend }),
    }),
  ],
});
