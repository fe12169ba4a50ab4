import { chmod, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A private directory that goes, with all that is in it, when it is disposed. */
export interface TempDir extends AsyncDisposable {
  /** absolute, without symbolic links */
  readonly path: string;
  /** `path` with `parts` appended; creates nothing */
  join(...parts: readonly string[]): string;
}

/**
 * Makes a new empty directory of mode 0700.
 *
 * @param parent where; default: the system's directory for temporary files
 */
export async function tempDir(parent: string = tmpdir()): Promise<TempDir> {
  const path = await mkdtemp(join(await realpath(parent), "keepsake-test-"));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => removeTree(path),
  };
}

async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // A test may have taken its own permission away.
    await openUp(Buffer.from(path));
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function openUp(dir: Buffer): Promise<void> {
  await chmod(dir, 0o700);
  for (const entry of await readdir(dir, { withFileTypes: true, encoding: "buffer" })) {
    if (entry.isDirectory()) await openUp(Buffer.concat([dir, Buffer.from("/"), entry.name]));
  }
}
