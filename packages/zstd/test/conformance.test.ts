import { fileURLToPath } from "node:url";
import { codecConformance, pluginConformance, runConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import plugin from "../src/plugin.js";
import { zstd } from "../src/zstd.js";

const javaScript = zstd({ backend: "fzstd" });

runConformance(codecConformance({ create: () => ({ codec: zstd(), deterministic: true, others: null }) }), {
  describe: (name, body) => describe(`${name}, native`, body),
  it,
});

// fzstd only decodes: what it decodes is encoded by the native library.
runConformance(
  codecConformance({
    create: () => ({
      codec: { ...zstd({ frameBytes: 64 * 1024 }), decode: (input, options) => javaScript.decode(input, options) },
      deterministic: true,
      others: null,
    }),
  }),
  { describe: (name, body) => describe(`${name}, decoded by fzstd`, body), it },
);

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin, module }) }), { describe, it });
