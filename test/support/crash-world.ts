import { access, constants, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Keepsake } from "@keepsake/runtime";
import { type TempDir, tempDir, treeDigest } from "@keepsake/testkit";
import type { Library } from "./bundled-program.js";
import { execute } from "./execute.js";
import { memoryState } from "./memory-state.js";
import type { Operation, PlacedOperation } from "./operation.js";

/** What of a world counts: the memory as it is, its databases and repository by what they say, the state values. */
export type WorldState = unknown;

/** A source, as a configuration names it. */
export type SourceName = "sqlite" | "git" | "memdir";

/** What is made in a world first. */
export interface WorldContent {
  /** what captures the memory: each costs time, so a world has those that it is about */
  readonly sources: readonly SourceName[];
  /** makes two snapshots, and a memory that has gone on since */
  fill(world: CrashWorld): Promise<void>;
}

/**
 * An agent's whole world below one folder: `live/memory`, `live/run` with its state values, and Keepsake's `state`. How it
 * is can be saved, and brought back at the same place, because journals hold absolute paths: every strike begins alike.
 */
export class CrashWorld implements AsyncDisposable {
  readonly #temp: TempDir;
  readonly #library: Library;
  readonly #sources: readonly SourceName[];
  /** the folder that holds all of it */
  readonly root: string;

  private constructor(temp: TempDir, library: Library, sources: readonly SourceName[], root: string) {
    this.#temp = temp;
    this.#library = library;
    this.#sources = sources;
    this.root = root;
  }

  /**
   * Makes one, fills it, and saves it as "plain".
   *
   * @param library what opens a Keepsake on it
   * @param root where it is, which need not exist; default: beside what is saved of it
   */
  static async make(library: Library, { sources, fill }: WorldContent, root?: string): Promise<CrashWorld> {
    const temp = await tempDir(await quickPlace());
    const world = new CrashWorld(temp, library, sources, root ?? temp.join("world"));
    for (const dir of [world.memory, world.run, world.stateRoot, world.outside]) await mkdir(dir, { recursive: true });
    await fill(world);
    await world.save("plain");
    return world;
  }

  get memory(): string {
    return join(this.root, "live", "memory");
  }

  get run(): string {
    return join(this.root, "live", "run");
  }

  get stateRoot(): string {
    return join(this.root, "state");
  }

  /** a folder to export to */
  get outside(): string {
    return join(this.root, "outside");
  }

  get config(): object {
    return {
      agents: { "*": { memory: this.memory } },
      sources: this.#sources.map((use) => ({ use })),
      redaction: { default: false },
      // Nobody has to wait for a lock here: whoever does meets one that is stuck.
      lock: { timeout_secs: 5 },
      log: { level: "silent" },
      state: [
        {
          use: "json-file",
          keys: { extract_cursor: join(this.run, "cursor.json"), dream_run: join(this.run, "dream.json") },
        },
      ],
    };
  }

  /** Remembers how it is now under a name. Times and links are kept, which Node's own copy does not do for folders. */
  async save(name: string): Promise<void> {
    await execute("cp", ["-a", this.root, this.#temp.join(name)]);
  }

  /** Brings back what was saved. */
  async bringBack(name: string): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
    // Another disk may be mounted there by now.
    await mkdir(dirname(this.root), { recursive: true });
    await execute("cp", ["-a", this.#temp.join(name), this.root]);
  }

  /** An operation on it, for a process of its own. */
  placed(operation: Operation): PlacedOperation {
    return { config: this.config, stateRoot: this.stateRoot, ...operation };
  }

  open(): Promise<Keepsake> {
    const { openKeepsake } = this.#library;
    return openKeepsake({ config: this.config as never, stateRoot: this.stateRoot, cwd: this.root, env: {} });
  }

  async state(): Promise<WorldState> {
    const { tree, databases, repository } = await memoryState(this.memory);
    const values: Record<string, unknown> = {};
    for (const name of await readdir(this.run)) {
      if (name.startsWith(".keepsake-")) continue;
      values[name] = JSON.parse(await readFile(join(this.run, name), "utf8"));
    }
    // A tag of the restore itself, and what it alone reaches, are no part of what was captured.
    const refs = repository?.refs.split("\n").filter((line) => !line.includes("refs/tags/pre-restore-"));
    const rest = { head: repository?.head, index: repository?.index, status: repository?.status };
    return { tree, databases, values, repository: { ...rest, refs } };
  }

  /** How far the journal says a restore is; undefined when there is none. */
  async journalPhase(): Promise<string | undefined> {
    const text = await readFile(join(this.stateRoot, "journals", "default", "ana.json"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as { readonly phase: string }).phase;
  }

  /** What is left of an operation: staging, journals, files beside the live data and among it. */
  async leftovers(): Promise<readonly string[]> {
    const beside = (await readdir(join(this.root, "live"))).filter((name) => name !== "memory" && name !== "run");
    const tree = await treeDigest(this.root, { mtimes: "none" });
    const inside = Object.entries(tree).filter(([path, { type }]) => {
      if (/(^|\/)\.keepsake-/.test(path)) return true;
      if (/^state\/staging\/[^/]+\/[^/]+\//.test(path)) return true;
      return type !== "directory" && path.startsWith("state/journals/");
    });
    return [...beside, ...inside.map(([path]) => path)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
    await this.#temp[Symbol.asyncDispose]();
  }
}

/** Worlds are copied by the hundred and outlive no power cut: memory is good enough for them where there is such a place. */
async function quickPlace(): Promise<string | undefined> {
  const place = "/dev/shm";
  try {
    await access(place, constants.W_OK | constants.X_OK);
    return place;
  } catch {
    return undefined;
  }
}
