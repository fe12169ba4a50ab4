import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { versionOf, runQuietly, sizeOf } from "./programs.mjs";
import { fillRestic } from "./restic-snapshots.mjs";

/** restic encrypts always. @param options `s3`: where its bucket is (`endpoint`, `bucket`) */
export function restic({ s3 } = {}) {
  return {
    name: s3 ? "restic S3" : "restic",
    remote: s3 !== undefined,
    version: () => versionOf("restic", "version"),
    open: (dir) => new ResticRepository(dir, s3),
  };
}

class ResticRepository {
  #dir;
  #s3;
  #env;

  constructor(dir, s3) {
    this.#dir = dir;
    this.#s3 = s3;
    this.#env = {
      RESTIC_REPOSITORY: s3 ? `s3:${s3.endpoint}/${s3.bucket}/bench${dir}` : join(dir, "repository"),
      RESTIC_PASSWORD: "benchmark",
      RESTIC_CACHE_DIR: join(dir, "cache"),
    };
  }

  prepare() {
    mkdirSync(this.#dir, { recursive: true });
    this.#quietly("init");
  }

  #quietly(...args) {
    return runQuietly(["restic", ...args], { env: this.#env });
  }

  #on(...args) {
    return { argv: ["restic", ...args], env: this.#env };
  }

  snapshot(memory) {
    return { ...this.#on("backup", ".", "--quiet"), cwd: memory };
  }

  verify() {
    return this.#on("check", "--read-data", "--quiet");
  }

  restore(target) {
    return this.#on("restore", "latest", "--target", target, "--quiet");
  }

  file(path, target) {
    return {
      shell: `mkdir -p "$target" && restic dump latest "/$path" >"$target/file"`,
      env: { ...this.#env, path, target },
    };
  }

  list() {
    return this.#on("snapshots");
  }

  deleteOne(id) {
    return this.#on("forget", id, "--quiet");
  }

  prune(count) {
    return this.#on("forget", "--keep-last", String(count), "--prune", "--quiet");
  }

  fill(count) {
    this.prepare();
    fillRestic(
      {
        repository: this.#env.RESTIC_REPOSITORY,
        env: this.#env,
        note: join(dirname(this.#env.RESTIC_REPOSITORY), "note.md"),
      },
      count,
    );
  }

  ids() {
    return JSON.parse(this.#quietly("snapshots", "--json")).map(({ id }) => id);
  }

  storedBytes() {
    return this.#s3 ? undefined : sizeOf(this.#env.RESTIC_REPOSITORY).bytes;
  }
}
