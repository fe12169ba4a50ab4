import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pluginConformance, runConformance, storeConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { opendalStore } from "../src/index.js";
import plugin from "../src/plugin.js";
import { hasS3Server, s3Service } from "./support/test-services.js";

describe("the service fs", () => {
  runConformance(
    storeConformance({
      create: async (dir) => ({
        store: await opendalStore({ scheme: "fs", options: { root: join(dir, "store") } }),
        reopen: null,
        place: dir,
      }),
    }),
    { describe, it },
  );
});

describe("the service memory", () => {
  runConformance(
    storeConformance({
      create: async () => ({ store: await opendalStore({ scheme: "memory" }), reopen: null, boundedMemory: false }),
    }),
    { describe, it },
  );
});

describe.runIf(hasS3Server)("the service s3", () => {
  runConformance(
    storeConformance({
      async create() {
        const place = s3Service();
        return { store: await opendalStore(place), reopen: () => opendalStore(place) };
      },
    }),
    { describe, it },
    // Over a server everything takes longer, on a loaded machine much longer.
    { limitMs: 200_000 },
  );
});

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(
  pluginConformance({
    create: (dir) => ({ plugin, module, options: () => ({ scheme: "fs", root: join(dir, "one", "two") }) }),
  }),
  { describe, it },
);
