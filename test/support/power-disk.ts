import { lstat, mkdir, truncate, writeFile } from "node:fs/promises";
import { errnoOf } from "@keepsake/core";
import { type TempDir, tempDir } from "@keepsake/testkit";
import { attempt, execute } from "./execute.js";
import { havePrograms } from "./programs.js";

/** File systems whose power can be cut: how an image is made, and how it is mounted. */
export const FILE_SYSTEMS = {
  // XFS gives a file its size when its data is written, and its name before.
  xfs: { make: ["mkfs.xfs", "-q"], options: "loop", sizeBytes: 320 << 20 },
  // Without the help for programs that rename without a sync, and without a commit that comes by itself.
  ext4: { make: ["mkfs.ext4", "-q", "-F"], options: "loop,noauto_da_alloc,commit=300", sizeBytes: 128 << 20 },
} as const;

export type FileSystem = keyof typeof FILE_SYSTEMS;

/** What a cut leaves: the log as it was on the disk, or the log written out at the last moment, without the data. */
export type CutKind = "log_lost" | "log_kept";

/** A disk of its own: an image, mounted through a loop device. */
export class PowerDisk implements AsyncDisposable {
  readonly #temp: TempDir;
  readonly #fileSystem: FileSystem;
  /** where it is mounted */
  readonly path: string;

  private constructor(temp: TempDir, fileSystem: FileSystem, path: string) {
    this.#temp = temp;
    this.#fileSystem = fileSystem;
    this.path = path;
  }

  /** @param path the folder to mount it on, until it is disposed; default: one of its own */
  static async make(fileSystem: FileSystem, path?: string): Promise<PowerDisk> {
    const temp = await tempDir();
    const disk = new PowerDisk(temp, fileSystem, path ?? temp.join("disk"));
    const { make, sizeBytes } = FILE_SYSTEMS[fileSystem];
    const [program, ...options] = make;
    try {
      await writeFile(disk.#image, "");
      await truncate(disk.#image, sizeBytes);
      await mkdir(disk.path, { recursive: true });
      await execute(program, [...options, disk.#image]);
      await disk.#mount();
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #image(): string {
    return this.#temp.join("image");
  }

  /** Writes everything out, so that what is there now survives any cut. */
  async settle(): Promise<void> {
    await execute("sync", ["-f", this.path]);
  }

  /** The command that cuts the power: from then on nothing reaches the disk, and every call fails. */
  cutCommand(kind: CutKind): readonly string[] {
    return ["xfs_io", "-x", "-c", kind === "log_kept" ? "shutdown -f" : "shutdown", this.path];
  }

  /** Cuts the power, if it is still there: who answers with an error may do so because it was cut. */
  async cut(kind: CutKind): Promise<void> {
    if (await this.#isCut()) return;
    const [program = "", ...args] = this.cutCommand(kind);
    await execute(program, args);
  }

  /** The machine starts again. Whoever had a file open here has ended. */
  async restart(): Promise<void> {
    await this.#unmount();
    await this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // At last without regard to whoever still uses it; the loop device goes with the last one.
      await this.#unmount().catch(() => attempt("umount", ["-l", this.path]));
    } finally {
      await this.#temp[Symbol.asyncDispose]();
    }
  }

  /** Where the file system says so; another cut does no harm to one that does not. */
  async #isCut(): Promise<boolean> {
    return await lstat(this.path).then(
      () => false,
      (error: unknown) => errnoOf(error) === "EIO",
    );
  }

  async #mount(): Promise<void> {
    await execute("mount", ["-o", FILE_SYSTEMS[this.#fileSystem].options, this.#image, this.path]);
  }

  /** A process that was just killed may take a moment to let go. */
  async #unmount(): Promise<void> {
    for (let left = 400; ; left--) {
      const { code, stderr } = await attempt("umount", [this.path]);
      if (code === 0 || stderr.includes("not mounted")) return;
      if (left === 0) throw new Error(`umount: ${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** True where disks can be made and cut; where that is required (CI) an error says why it cannot. */
export async function canCutPower(): Promise<boolean> {
  if (!havePrograms("mkfs.xfs", "mkfs.ext4", "xfs_io", "mount", "umount", "sync", "git", "sqlite3")) return false;
  try {
    await using _disk = await PowerDisk.make("ext4");
    return true;
  } catch (error) {
    if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw error;
    console.warn(`skipped: power cuts need loop mounts: ${String(error)}`);
    return false;
  }
}
