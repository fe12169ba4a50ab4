import { codecProvider, definePlugin } from "@keepsake/core";
import { z } from "zod";
import { MAX_FRAME_BYTES, MIN_FRAME_BYTES, zstd } from "./zstd.js";

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
      create: ({ level, frame_bytes: frameBytes, concurrency, backend }) =>
        zstd({ level, frameBytes, concurrency, backend }),
    }),
  ],
});
