import { fileURLToPath } from "node:url";
import { lockConformance, pluginConformance, runConformance, storeConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { s3Locks, s3Store } from "../src/index.js";
import plugin from "../src/plugin.js";
import { onServer, testPlace } from "./support/test-server.js";
import { Truth } from "./support/truth.js";

onServer("on a real server", () => {
  runConformance(
    storeConformance({
      create() {
        const place = testPlace();
        const open = () => s3Store(place);
        const keptThere = async (): Promise<readonly string[]> => {
          // Not disposed: that would remove all that lies there.
          const truth = new Truth(place);
          const names = [...(await truth.keys()), ...(await truth.keys(".keepsake-s3/")), ...(await truth.uploads())];
          truth.client.destroy();
          return names;
        };
        return { store: open(), reopen: open, place: keptThere };
      },
    }),
    { describe, it },
    // Over a server everything takes longer, on a loaded machine much longer.
    { limitMs: 200_000 },
  );

  runConformance(
    lockConformance({
      create() {
        const place = testPlace();
        const open = () => s3Locks({ ...place, leaseMs: 3000 });
        return {
          locks: open(),
          other: open(),
          async lose(name) {
            // Not disposed: that would remove all that lies there.
            const truth = new Truth(place);
            // Another took it over, and has gone.
            const object = `.keepsake-s3/locks/${name}.json`;
            const lease = JSON.parse(await truth.text(object)) as object;
            await truth.put(object, JSON.stringify({ ...lease, nonce: "another", released: true }));
            truth.client.destroy();
          },
        };
      },
    }),
    { describe, it },
  );
});

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin, module, options: () => ({ bucket: "none" }) }) }), {
  describe,
  it,
});
