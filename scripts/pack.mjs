/**
 * `node scripts/pack.mjs <folder>`: packs every public package into the folder, as it would be published, and prints the
 * paths of the tarballs as a JSON array. The packages must have been built.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { packageDirectories, root } from "./lib.mjs";

/** The packages that are published, as their package.json has them. */
export function publicPackages() {
  const manifests = packageDirectories().map((path) =>
    JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")),
  );
  return manifests.filter((manifest) => manifest.private !== true);
}

/** @returns absolute paths of the tarballs, in the order of their names */
export function packAll(folder) {
  mkdirSync(folder, { recursive: true });
  const pnpm = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager;
  // One run for all: each start of pnpm costs a second. What is "workspace:*" in a checkout is a version in a tarball.
  const args = ["--yes", pnpm, "--recursive", "--filter", "./packages/*", "pack", "--pack-destination", folder];
  const shell = process.platform === "win32";
  const { status, stdout, stderr } = spawnSync("npx", args, { cwd: root, encoding: "utf8", shell, timeout: 120_000 });
  if (status !== 0) throw new Error(`pnpm pack failed:\n${stdout}${stderr}`);
  const names = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  const wanted = publicPackages().map(
    ({ name, version }) => `${name.replace("@", "").replace("/", "-")}-${version}.tgz`,
  );
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`pnpm pack did not make ${missing.join(", ")}.`);
  return wanted.sort().map((name) => join(folder, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error("Name a folder.");
  process.stdout.write(`${JSON.stringify(packAll(resolve(folder)), null, 2)}\n`);
}
