import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Keepsake } from "@keepsake/runtime";
import { openKeepsake } from "@keepsake/standard";
import { type TempDir, tempDir, treeDigest } from "@keepsake/testkit";
import { expect } from "vitest";
import type { Operation } from "./crash-sweep.js";
import { execute } from "./execute.js";
import { memoryState } from "./memory-state.js";

/** What of a world counts: the memory as it is, its databases and repository by what they say, the state values. */
export type WorldState = unknown;

/**
 * An agent's whole world below one folder: `live/memory`, `live/run` with its state values, and Keepsake's `state`. It can
 * be copied, so that every point of a sweep begins alike.
 */
export class CrashWorld implements AsyncDisposable {
  readonly #temp: TempDir;

  private constructor(temp: TempDir) {
    this.#temp = temp;
  }

  static async make(): Promise<CrashWorld> {
    const world = new CrashWorld(await tempDir());
    await mkdir(world.memory, { recursive: true });
    await mkdir(join(world.#temp.path, "live", "run"));
    await mkdir(world.stateRoot);
    await mkdir(world.outside);
    return world;
  }

  get memory(): string {
    return this.#temp.join("live", "memory");
  }

  get run(): string {
    return this.#temp.join("live", "run");
  }

  get stateRoot(): string {
    return this.#temp.join("state");
  }

  /** a folder to export to */
  get outside(): string {
    return this.#temp.join("outside");
  }

  get config(): object {
    return {
      agents: { "*": { memory: this.memory } },
      redaction: { default: false },
      log: { level: "silent" },
      state: [
        {
          use: "json-file",
          keys: { extract_cursor: join(this.run, "cursor.json"), dream_run: join(this.run, "dream.json") },
        },
      ],
    };
  }

  /**
   * A world of its own with the same content; times and links are kept.
   *
   * @param parent the folder to make it in; default: that for temporary files
   */
  async copy(parent?: string): Promise<CrashWorld> {
    const temp = await tempDir(parent);
    // Node's own copy gives folders new times.
    await execute("cp", ["-a", `${this.#temp.path}/.`, temp.path]);
    return new CrashWorld(temp);
  }

  operation(name: string, request: object): Operation {
    return { config: this.config, stateRoot: this.stateRoot, name, request };
  }

  open(): Promise<Keepsake> {
    return openKeepsake({ config: this.config as never, stateRoot: this.stateRoot, cwd: this.#temp.path, env: {} });
  }

  async state(): Promise<WorldState> {
    const { tree, databases, repository } = await memoryState(this.memory);
    const values: Record<string, unknown> = {};
    for (const name of await readdir(this.run)) values[name] = JSON.parse(await readFile(join(this.run, name), "utf8"));
    // A tag of the restore itself, and what it alone reaches, are no part of what was captured.
    const refs = repository?.refs.split("\n").filter((line) => !line.includes("refs/tags/pre-restore-"));
    const rest = { head: repository?.head, index: repository?.index, status: repository?.status };
    return { tree, databases, values, repository: { ...rest, refs } };
  }

  /** Shows that nothing is left of an operation: no staging, no journal, nothing beside the live data. */
  async expectNothingLeft(): Promise<void> {
    expect(await readdir(this.#temp.join("live"))).toEqual(["memory", "run"]);
    const state = await treeDigest(this.stateRoot, { mtimes: "none" });
    const files = Object.entries(state).filter(([, { type }]) => type !== "directory");
    const left = files
      .map(([path]) => path)
      .filter((path) => /^(staging|journals)\//.test(path) || path.includes(".keepsake-"));
    expect(left).toEqual([]);
    for (const name of ["staging/default/ana"])
      expect(Object.keys(state).filter((path) => path.startsWith(`${name}/`))).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temp[Symbol.asyncDispose]();
  }
}
