import { gunzipSync, gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import type { Codec, Plugin } from "@keepsake/core";
import { chunked, codecConformance, collect, pluginConformance, runConformance } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

const file = new URL("./gzip-codec.mjs", import.meta.url).href;
const { default: plugin, gzip } = (await import(file)) as { default: Plugin; gzip: Codec };
const unlimited = { maxOutputBytes: Number.POSITIVE_INFINITY };
const content = Buffer.from("notes of an agent, ".repeat(20_000));

describe("the gzip codec", () => {
  it("gives back what it got, however it is cut, and is gzip for others", async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from("x"), content]) {
      const encoded = await collect(gzip.encode(chunked(bytes, 10_000)));
      expect(gunzipSync(encoded).equals(bytes)).toBe(true);
      for (const given of [encoded, gzipSync(bytes)]) {
        for (const size of [1, 100_000]) {
          expect(Buffer.compare(await collect(gzip.decode(chunked(given, size), unlimited)), bytes)).toBe(0);
        }
      }
    }
  });

  it("takes no second stream for a part of the first, as Node's own gunzip does", async () => {
    const encoded = gzipSync("a short note");
    expect(gunzipSync(Buffer.concat([encoded, encoded])).toString()).toBe("a short notea short note");
    for (const size of [1000, 1]) {
      const decoding = collect(gzip.decode(chunked(Buffer.concat([encoded, encoded]), size), unlimited));
      await expect(decoding).rejects.toMatchObject({ code: "E_TRAILING_DATA" });
    }
  });

  it("is what the plugin provides", () => {
    expect(plugin.providers).toMatchObject([{ kind: "codec", name: "gzip" }]);
    expect([gzip.id, gzip.suffix]).toEqual(["gzip", ".gz"]);
  });
});

runConformance(
  [
    ...codecConformance({ create: () => ({ codec: gzip, deterministic: true, others: null }) }),
    ...pluginConformance({ create: () => ({ plugin, module: fileURLToPath(file) }) }),
  ],
  { describe, it },
);
