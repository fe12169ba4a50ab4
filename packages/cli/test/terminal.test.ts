import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { Bench } from "./support/keepsake.js";
import { makeMemory } from "./support/memory.js";

const bench = new Bench();

async function ids(): Promise<string[]> {
  return (await bench.run(["list", "--agent", "ana", "--quiet"])).stdout.trim().split("\n");
}

beforeAll(async () => {
  await makeMemory(bench, "ana");
  for (const label of ["one", "two"]) {
    expect((await bench.run(["snapshot", "--agent", "ana", "--memory", "ana", "--label", label])).code).toBe(0);
  }
});

describe("on a terminal", () => {
  it("delete asks, naming the snapshot; no, Enter and Ctrl-C leave it there", async () => {
    const [, oldest] = await ids();
    const args = ["delete", "--agent", "ana", "latest~1"];
    for (const [keys, code] of [
      ["n", 5],
      ["\r", 5],
      ["\u0003", 130],
    ] as const) {
      const ran = await bench.runInTerminal(args, /cannot be undone/, keys);
      expect(ran.stdout).toContain(oldest);
      expect(ran.stdout).toContain('"one"');
      expect(ran.code).toBe(code);
      expect(await ids()).toHaveLength(2);
    }
  });

  it("restore shows the plan and asks; yes does it", async () => {
    await bench.write({ "ana/notes.md": "spoilt\n" });
    const args = ["restore", "--agent", "ana", "latest", "--memory", "ana"];
    const no = await bench.runInTerminal(args, /Go on\?/, "n");
    expect(no.code).toBe(5);
    expect(no.stdout).toContain("memory_files/notes.md");
    expect(await readFile(bench.path("ana/notes.md"), "utf8")).toBe("spoilt\n");
    const yes = await bench.runInTerminal(args, /Go on\?/, "y");
    expect(yes.stdout).toContain("Undo with: keepsake restore --agent ana ");
    expect(yes.code).toBe(0);
    expect(await readFile(bench.path("ana/notes.md"), "utf8")).toBe("# Notes\n\nfirst line\n");
  });

  it("delete does what was answered with yes, to the snapshot that was named", async () => {
    const before = await ids();
    const ran = await bench.runInTerminal(["delete", "--agent", "ana", "latest~1"], /cannot be undone/, "y");
    expect(ran.code).toBe(0);
    expect(await ids()).toEqual(before.filter((_, index) => index !== 1));
  });

  it("is coloured, unless that is not wanted", async () => {
    const list = ["list", "--agent", "ana"];
    // eslint-disable-next-line no-control-regex -- colours are escape sequences
    const colour = /\u001b\[\d+m/;
    expect((await bench.runInTerminal(list, undefined, "")).stdout).toMatch(colour);
    expect((await bench.runInTerminal([...list, "--no-color"], undefined, "")).stdout).not.toMatch(colour);
    expect((await bench.run(list)).stdout).not.toMatch(colour);
  });
});
