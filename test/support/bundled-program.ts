import { mkdir, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { openKeepsake } from "@keepsake/standard";
import { type TempDir, tempDir } from "@keepsake/testkit";
import { build, type Plugin } from "vite";

/** The library, with what it starts. */
export interface Library {
  readonly openKeepsake: typeof openKeepsake;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What stays where it is: machine code, and what has to run before the modules that need it. */
const LEFT_OUT = new Set(["better-sqlite3", "@mongodb-js/zstd", "reflect-metadata"]);

/**
 * `operate.mjs` and `power-operate.mjs` with all that they import, and that of the databases' helper beside it, because the
 * library looks for it there: of the compiled packages, as they are. It starts in a quarter of the time, which counts where a program is
 * started for every strike.
 */
export class BundledProgram implements AsyncDisposable {
  readonly #temp: TempDir;

  private constructor(temp: TempDir) {
    this.#temp = temp;
  }

  static async make(): Promise<BundledProgram> {
    const temp = await tempDir();
    // Versions are read from the packages.
    await symlink(here("../node_modules"), temp.join("node_modules"));
    await mkdir(temp.join("program"));
    const helper = createRequire(import.meta.url).resolve("@keepsake/sqlite/package.json");
    await build({
      configFile: false,
      logLevel: "error",
      root: here(".."),
      plugins: [leaveOut()],
      ssr: { noExternal: true },
      build: {
        ssr: true,
        target: "node20",
        minify: false,
        outDir: temp.join("program"),
        emptyOutDir: false,
        rolldownOptions: {
          input: {
            operate: here("operate.mjs"),
            "power-operate": here("power-operate.mjs"),
            library: here("../node_modules/@keepsake/standard/dist/index.js"),
            main: join(helper, "../dist/process/main.js"),
          },
          // All in one folder: the helper is looked for beside whoever starts it.
          // What sets up a module is run before it, whatever file each comes into.
          output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", strictExecutionOrder: true },
        },
      },
    });
    return new BundledProgram(temp);
  }

  /** The program's file. */
  path(program: "operate" | "power-operate"): string {
    return this.#temp.join("program", `${program}.js`);
  }

  /** The same library for this process, so that what judges starts its helpers as fast. */
  async load(): Promise<Library> {
    return (await import(pathToFileURL(this.#temp.join("program", "library.js")).href)) as Library;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temp[Symbol.asyncDispose]();
  }
}

function leaveOut(): Plugin {
  return {
    name: "leave-out",
    enforce: "pre",
    resolveId(id, importer) {
      if (!LEFT_OUT.has(id) || importer === undefined) return undefined;
      return { id: createRequire(importer).resolve(id), external: "absolute" };
    },
  };
}
