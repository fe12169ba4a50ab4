import { chunked, collect } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import plugin from "../src/plugin.js";

const [provider] = plugin.providers ?? [];

describe("the plugin", () => {
  it("makes the codec from the configuration's names", async () => {
    if (provider?.kind !== "codec") throw new Error("The plugin has no codec.");
    expect(provider.name).toBe("zstd");
    const checked = await provider.options?.["~standard"].validate({ level: 9, frame_bytes: 65_536 });
    if (checked === undefined || checked.issues !== undefined) throw new Error("The options are refused.");
    const resolver = {
      get: () => {
        throw new Error("It needs nothing.");
      },
    };
    const codec = await provider.create(checked.value as never, resolver, { id: undefined, baseDir: "/" });
    expect([codec.id, codec.suffix, codec.encrypts ?? false]).toEqual(["zstd", ".zst", false]);
    const frames = Buffer.from(await collect(codec.encode(chunked(Buffer.alloc(3 * 65_536)))));
    expect(frames.toString("latin1").split("\x28\xb5\x2f\xfd")).toHaveLength(4);
  });

  it("refuses what is out of range or unknown", async () => {
    for (const options of [
      { level: 0 },
      { level: 23 },
      { frame_bytes: 1 },
      { concurrency: 0 },
      { backend: "x" },
      { lvl: 1 },
    ]) {
      const checked = await provider?.options?.["~standard"].validate(options);
      expect(checked?.issues?.length).toBe(1);
    }
  });
});
