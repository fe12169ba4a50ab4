import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { definePlugin, stateProvider } from "@keepsake/core";
import { writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { makeDatabase } from "./support/agent-memory.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";

const agent = "ana";

/** One kind of thing, and what makes it at a place. */
const KINDS: readonly (readonly [string, (at: string) => Promise<void>])[] = [
  ["a note", (at) => writeFile(at, "a note")],
  ["a database", async (at) => void makeDatabase(at, 3).close()],
  ["a folder of notes", (at) => writeTree(at, { "deep/a.md": "a note" })],
  [
    "a folder with a database",
    async (at) => {
      await mkdir(at);
      makeDatabase(join(at, "y.db"), 2).close();
    },
  ],
  [
    "a folder of both",
    async (at) => {
      await writeTree(at, { "a.md": "a note" });
      makeDatabase(join(at, "y.db"), 2).close();
    },
  ],
  ["nothing", async () => undefined],
];

/** State that cannot be put back: it comes last, so that everything before it has to be taken back. */
const stubbornPlugin = definePlugin({
  name: "stubborn",
  api: 1,
  providers: [
    stateProvider("stubborn", {
      create: () => {
        let refused = false;
        return {
          id: "stubborn",
          keys: ["mood"],
          async *capture() {
            yield { key: "mood", value: "stubborn" };
          },
          async restore() {
            if (refused) return;
            refused = true;
            throw new Error("not now");
          },
        };
      },
    }),
  ],
});

/** Each kind in each other's place, all in one memory: what a place is called says what was there, and what is. */
const PLACES = KINDS.flatMap(([was, makeOld]) =>
  KINDS.filter(([is]) => is !== was).map(([is, makeNew]) => ({ name: `${was}, then ${is}`, makeOld, makeNew })),
);

/** Makes what was, takes its snapshot, and makes what is. */
async function everyKindInEveryPlace({ memory, keepsake }: KeepsakeCase) {
  await writeFile(join(memory, "other.md"), "there is something else in any case");
  for (const { name, makeOld } of PLACES) await makeOld(join(memory, name));
  const before = await memoryState(memory);
  const { record } = await keepsake.snapshot({ agent });
  for (const { name, makeNew } of PLACES) {
    await rm(join(memory, name), { recursive: true, force: true });
    await makeNew(join(memory, name));
  }
  return { before, id: record.id, changed: await memoryState(memory) };
}

describe("a restore", () => {
  it("brings every kind back where any other stands, and that one back after it", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    const { before, id, changed } = await everyKindInEveryPlace(box);
    expect(changed).not.toEqual(before);
    const { preSnapshot = "" } = await keepsake.restore({ agent, ref: id });
    expect(await memoryState(memory)).toEqual(before);
    await keepsake.restore({ agent, ref: preSnapshot });
    expect(await memoryState(memory)).toEqual(changed);
  });

  it("that fails at its end leaves every kind where it would have brought any other", async () => {
    await using box = await keepsakeCase({ plugins: [stubbornPlugin], state: [{ use: "stubborn" }] });
    const { id, changed } = await everyKindInEveryPlace(box);
    await expect(box.keepsake.restore({ agent, ref: id })).rejects.toThrow(/not now|stubborn/);
    expect(await memoryState(box.memory)).toEqual(changed);
  });

  it("is refused rather than that a database takes the place of a folder with what no snapshot has", async () => {
    await using box = await keepsakeCase({ sources: [{ use: "sqlite" }, { use: "memdir", exclude: ["*.key"] }] });
    const { memory, keepsake } = box;
    makeDatabase(join(memory, "x"), 3).close();
    await keepsake.snapshot({ agent });
    await rm(join(memory, "x"));
    await writeTree(memory, { "x/private.key": "precious", "x/b.md": "b" });
    const before = await memoryState(memory);
    await expect(keepsake.restore({ agent, ref: "latest" })).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await memoryState(memory)).toEqual(before);
  });

  it("is refused rather than in part, where a database stands that no source of the snapshot would take away", async () => {
    await using box = await keepsakeCase({ sources: [{ use: "memdir" }] });
    const { memory, keepsake, temp } = box;
    await writeTree(memory, { "x/a.md": "a note" });
    const { record } = await keepsake.snapshot({ agent });
    const to = temp.join("exported.tar.zst");
    await keepsake.export({ agent, ref: record.id, to });
    await using other = await keepsakeCase();
    makeDatabase(join(other.memory, "x"), 3).close();
    const before = await memoryState(other.memory);
    const restore = other.keepsake.restore({ agent, bundleFile: to });
    await expect(restore).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
    expect(await memoryState(other.memory)).toEqual(before);
  });
});
