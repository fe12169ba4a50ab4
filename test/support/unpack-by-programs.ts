import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execute } from "./execute.js";

/** A bundle as it lies in the store, and what stands beside it. */
export interface StoredFiles {
  readonly bundle: string;
  readonly sha256File: string;
}

/** Where a snapshot's files are below a state root. */
export function storedFiles(stateRoot: string, bundlePath: string): StoredFiles {
  const bundle = join(stateRoot, bundlePath);
  return { bundle, sha256File: `${bundle}.sha256` };
}

/** Everything of a bundle, taken out by age, zstd and tar alone. @returns the folder */
export async function unpackByPrograms(bundle: string, to: string, identityFile?: string): Promise<string> {
  await mkdir(to, { recursive: true });
  const decrypt = identityFile === undefined ? 'cat "$1"' : 'age -d -i "$3" "$1"';
  await execute("bash", [
    "-euo",
    "pipefail",
    "-c",
    `${decrypt} | zstd -q -d --long=31 | tar -x --same-permissions -C "$2"`,
    "unpack",
    bundle,
    to,
    identityFile ?? "",
  ]);
  return to;
}

/** The paths in the manifest of an unpacked bundle, in their order, the manifest first. */
export async function declaredPaths(unpacked: string): Promise<readonly string[]> {
  const manifest = JSON.parse(await readFile(join(unpacked, "manifest.json"), "utf8")) as {
    readonly artifacts: readonly { readonly path_in_bundle: string }[];
  };
  return ["manifest.json", ...manifest.artifacts.map(({ path_in_bundle: path }) => path)];
}
