import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HelperProcess } from "../src/process/helper-process.js";
import { make, place, start } from "./support.js";

const program = (name: string): URL => new URL(`programs/${name}`, import.meta.url);

/** Children of a process, dead ones that nobody asked for among them. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const stat = existsSync(`/proc/${name}/stat`) ? readText(`/proc/${name}/stat`) : "";
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] === String(pid);
    })
    .map(Number);
}

function readText(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

describe("the databases' process", () => {
  it("answers, and is gone when it is disposed", async () => {
    const before = childrenOf(process.pid);
    const helper = new HelperProcess();
    expect(await helper.call("versions", null)).toHaveProperty("sqlite");
    expect(childrenOf(process.pid)).toHaveLength(before.length + 1);
    await helper[Symbol.asyncDispose]();
    await helper[Symbol.asyncDispose]();
    expect(childrenOf(process.pid)).toEqual(before);
    await expect(helper.call("versions", null)).rejects.toMatchObject({ code: "E_IO" });
  });

  it("that cannot be started says why", async () => {
    const before = childrenOf(process.pid);
    const helper = new HelperProcess(program("fails.mjs"));
    const error: unknown = await helper.call("versions", null).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "E_IO", message: expect.stringContaining("ended (7)") as string });
    expect((error as Error).cause).toMatchObject({ message: expect.stringContaining("not built") as string });
    await helper[Symbol.asyncDispose]();
    expect(childrenOf(process.pid)).toEqual(before);
  });

  it.each([
    ["hang.mjs", { short: 200 }, "versions"],
    ["hang.mjs", { long: 200 }, "discover"],
    ["mute.mjs", { start: 200 }, "versions"],
  ])("that does not answer is ended: %s, %j", async (name, limits, call) => {
    const before = childrenOf(process.pid);
    const helper = new HelperProcess(program(name), limits);
    const request = { root: "/", include: undefined, exclude: [], required: [] };
    const asked = call === "discover" ? helper.call("discover", request) : helper.call("versions", null);
    await expect(asked).rejects.toMatchObject({
      code: "E_IO",
      retry: "temporary",
      message: expect.stringContaining("did not answer within 0.2 s") as string,
    });
    await helper[Symbol.asyncDispose]();
    expect(childrenOf(process.pid)).toEqual(before);
  });

  it("that does not end is ended", async () => {
    const before = childrenOf(process.pid);
    const helper = new HelperProcess(program("hang.mjs"), { close: 200 });
    await helper[Symbol.asyncDispose]();
    expect(childrenOf(process.pid)).toEqual(before);
  });

  it("that is killed fails what was asked", async () => {
    const helper = new HelperProcess(program("hang.mjs"));
    const asked = helper.call("versions", null);
    helper.kill();
    await expect(asked).rejects.toMatchObject({ code: "E_IO", message: expect.stringContaining("SIGKILL") as string });
    await helper[Symbol.asyncDispose]();
  });

  it("ends with its parent, also when that is killed, and holds nothing any more", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), "CREATE TABLE t (x)", "PRAGMA journal_mode = WAL");
    mkdirSync(join(at.dir, "scratch"));
    const source = new URL("../dist/index.js", import.meta.url).href;
    const parent = await start("capturing.mjs", source, at.memory, join(at.dir, "scratch"));
    const helpers = childrenOf(parent.pid);
    expect(helpers).toHaveLength(1);
    expect(() => execFileSync("sqlite3", [file, "INSERT INTO t VALUES (1)"], { stdio: "pipe" })).toThrow("locked");
    await parent[Symbol.asyncDispose]();
    await expect
      .poll(() => helpers.filter((pid) => existsSync(`/proc/${String(pid)}/exe`)), { timeout: 20_000 })
      .toEqual([]);
    execFileSync("sqlite3", [file, "INSERT INTO t VALUES (1)"]);
    expect(readdirSync(at.memory)).toEqual(["a.db"]);
  });
});
