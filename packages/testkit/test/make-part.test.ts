import { type BundleStore, definePlugin, storeProvider, storeToken } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { makePart } from "../src/conformance/plugin/plugin-bench.js";
import { chunked, collect } from "../src/streams.js";
import { tempDir } from "../src/temp-dir.js";

/** Another store under another name, with nothing added. */
const plugin = definePlugin({
  name: "over",
  api: 1,
  providers: [
    storeProvider<{ store: string }>("over", {
      options: {
        "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as { store: string } }) },
      },
      needs: ({ store }) => [storeToken(store)],
      create: ({ store }, resolver) => resolver.get(storeToken(store)),
    }),
  ],
});

describe("a store that is made of another", () => {
  it("gets one in memory, the same as often as it is made, and the one it is given", async () => {
    await using dir = await tempDir();
    const stores = new Map<string, BundleStore>();
    const make = async (store: string) => {
      const made = await makePart(plugin, "store", "over", { options: { store }, dir: dir.path, stores });
      return made.part;
    };
    await (await make("near")).put("k", chunked(Buffer.from("x")));
    const { body } = await (await make("near")).get("k");
    expect(Buffer.from(await collect(body)).toString()).toBe("x");
    expect(await (await make("far")).head("k")).toBeUndefined();
    expect([...stores.keys()]).toEqual(["near", "far"]);
    const [near] = stores.values();
    if (near) stores.set("mine", near);
    expect(await (await make("mine")).head("k")).toMatchObject({ sizeBytes: 1 });
  });
});
