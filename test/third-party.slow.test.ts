import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tempDir, type TempDir } from "@keepsake/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const CLI = fileURLToPath(new URL("../packages/cli/bin/keepsake.js", import.meta.url));
const PACK = fileURLToPath(new URL("../scripts/pack.mjs", import.meta.url));
const KINDS = ["store", "codec", "source", "redaction", "state", "lock"] as const;
/** Asks the registry only for what this machine has never seen. */
const NPM_INSTALL = ["install", "--no-save", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
/** What plugins need of ours: nothing that has to be compiled. */
const NEEDED = ["core", "files", "memory", "testkit"];
const NPM = process.platform === "win32" ? "npm.cmd" : "npm";

/** A repository of somebody else: a package of each kind, as `plugin create` writes it, over our tarballs. */
let ground: TempDir;
let tarballs: readonly string[];

const keepsake = (...args: readonly string[]) => run(process.execPath, [CLI, ...args], { cwd: ground.path });
const npm = (cwd: string, ...args: readonly string[]) => run(NPM, args, { cwd, env: { ...process.env, CI: "true" } });
const place = (kind: string): string => ground.join(`acme-${kind}`);

beforeAll(async () => {
  ground = await tempDir();
  await mkdir(ground.join("tarballs"));
  const { stdout } = await run(process.execPath, [PACK, ground.join("tarballs")]);
  const all = JSON.parse(stdout) as readonly string[];
  tarballs = all.filter((path) => NEEDED.some((name) => path.includes(`keepsake-${name}-`)));
  for (const kind of KINDS) await keepsake("plugin", "create", kind, `acme-${kind}`);
  const manifest = { private: true, type: "module", workspaces: KINDS.map((kind) => `acme-${kind}`) };
  await writeFile(ground.join("package.json"), JSON.stringify(manifest));
  await npm(ground.path, ...NPM_INSTALL, ...tarballs);
});
afterAll(() => ground[Symbol.asyncDispose]());

describe("a package outside of the workspace, over the packed tarballs", () => {
  it.each(KINDS)("is written for a %s, and passes its tests at once, with a runner and without", async (kind) => {
    const { stdout } = await npm(place(kind), "test");
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(18);

    // Of the two whose suites stream much a few cases: they were all asked a moment ago.
    const only = { store: "store.d", codec: "codec.d" }[kind as string] ?? kind;
    const { stdout: report } = await keepsake("plugin", "test", `./acme-${kind}`, "--only", only, "--json");
    // What is inverse is declared to be missing: nothing pauses an agent, a store has no end, a source comes back as a whole, and
    // locks are not killed here.
    const inverse = { store: 1, codec: 0, source: 1, redaction: 0, state: 1, lock: 1 }[kind];
    expect(JSON.parse(report)).toMatchObject({ ok: true, suites: [{ kind, failed: 0, inverse }] });
  });

  it("has types that a strict consumer resolves, down to those of the packages below", async () => {
    const uses = KINDS.map(
      (kind) => `import ${kind}, { acme${kind.replace(/^./, (a) => a.toUpperCase())} } from "acme-${kind}";`,
    );
    await writeFile(
      ground.join("consumer.mts"),
      `${uses.join("\n")}
import type { BundleStore, Codec, Plugin } from "@keepsake/core";
export const plugins: Plugin[] = [${KINDS.join(", ")}];
export const made: [BundleStore, Codec] = [acmeStore({ root: "/srv" }), acmeCodec({ quality: 5 })];
export const others = [acmeSource({ path: "a" }), acmeRedaction(), acmeState({ folder: "/f", keys: ["a"] }), acmeLock({ root: "/l" })];
// @ts-expect-error a store needs its root: were the types lost, nothing would be wrong here
export const wrong = acmeStore({ rot: "/srv" });
`,
    );
    const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
    const lib = ["--lib", "es2023,esnext.disposable"];
    const tsc = ground.join("node_modules/typescript/bin/tsc");
    // Without --skipLibCheck: the declarations themselves are checked, too.
    await run(process.execPath, [tsc, ...flags, ...lib, "consumer.mts"], { cwd: ground.path }).catch(
      (error: unknown) => {
        throw new Error(`tsc: ${(error as { readonly stdout: string }).stdout}`);
      },
    );
  });

  it("is packed with what it needs, and without its tests", async () => {
    const { stdout } = await npm(place("store"), "pack", "--dry-run", "--json", "--ignore-scripts");
    const [packed] = JSON.parse(stdout) as readonly { readonly files: readonly { readonly path: string }[] }[];
    const paths = packed?.files.map(({ path }) => path) ?? [];
    const { exports } = JSON.parse(await readFile(ground.join("acme-store/package.json"), "utf8")) as {
      readonly exports: { readonly ".": Readonly<Record<string, string>> };
    };
    for (const target of Object.values(exports["."])) expect(paths).toContain(target.replace("./", ""));
    expect(paths).toContain("README.md");
    expect(paths.filter((path) => path.includes("test"))).toEqual([]);
  });

  it("is installed alone as the documentation says, under a name with a scope", async () => {
    await keepsake("plugin", "create", "redaction", "@acme/tokens", "--dir", "alone/tokens");
    const folder = ground.join("alone/tokens");
    await npm(folder, ...NPM_INSTALL, ...tarballs);
    const early: unknown = await keepsake("plugin", "test", folder, "--json").catch((error: unknown) => error);
    expect(early).toMatchObject({ code: 2, stderr: expect.stringContaining("build the package first") as string });
    await npm(folder, "run", "build");
    const { stdout } = await keepsake("plugin", "test", folder, "--json");
    const suites = [{ kind: "plugin" }, { kind: "redaction", failed: 0 }];
    expect(JSON.parse(stdout)).toMatchObject({ plugin: "tokens", ok: true, suites });
  });
});
