import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BundleStore } from "@keepsake/core";
import { KeepsakeError } from "@keepsake/core";
import { localFs } from "@keepsake/local-fs";
import { replicated, replicatedPlugin, tiered } from "@keepsake/replicated";
import { s3Store } from "@keepsake/s3";
import { faultyStore, memoryStore, pluginConformance, runConformance, storeConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { hasS3Server, s3TestPlace } from "./support/s3-server.js";

const folder = (dir: string, id: string): BundleStore => localFs({ root: join(dir, id), id });
const DOWN = new KeepsakeError("E_IO", "The disk is gone.", { retry: "temporary" });
const down = (id: string): BundleStore =>
  faultyStore(
    memoryStore(id),
    (["put", "get", "head", "list", "delete", "replace", "sweep"] as const).map((on) => ({ on, fail: DOWN })),
  );

const subjects: readonly (readonly [string, (dir: string) => BundleStore])[] = [
  ["two folders, all", (dir) => replicated({ stores: [folder(dir, "a"), folder(dir, "b")] })],
  [
    "two folders and a store that is down, quorum 2",
    (dir) =>
      replicated({
        stores: [folder(dir, "a"), down("broken"), folder(dir, "b")],
        write: { quorum: 2 },
        read: "nearest",
      }),
  ],
  [
    "near and far, with everything moved at every sweep",
    (dir) => tiered({ hot: folder(dir, "a"), cold: folder(dir, "b"), afterMs: 0 }),
  ],
];

for (const [name, open] of subjects) {
  describe(name, () => {
    runConformance(storeConformance({ create: (dir) => ({ store: open(dir), reopen: () => open(dir), place: dir }) }), {
      describe,
      it,
    });
  });
}

describe.runIf(hasS3Server)("a folder and a bucket", () => {
  runConformance(
    storeConformance({
      create(dir) {
        const place = s3TestPlace();
        const open = () =>
          replicated({ stores: [folder(dir, "a"), s3Store({ ...place, id: "bucket" })], write: { quorum: 2 } });
        return { store: open(), reopen: open };
      },
    }),
    { describe, it },
  );
});

const module = fileURLToPath(new URL("../packages/replicated/dist/plugin.js", import.meta.url));
runConformance(
  pluginConformance({
    create: () => ({
      plugin: replicatedPlugin,
      module,
      options: ({ name }) => (name === "tiered" ? { hot: "a", cold: "b", after_days: 30 } : { stores: ["a", "b"] }),
    }),
  }),
  { describe, it },
);
