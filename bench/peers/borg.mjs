import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { versionOf, runQuietly, sizeOf } from "./programs.mjs";

/** borg without encryption. @param compression as borg names it */
export function borg(compression) {
  return {
    name: `borg ${compression}`,
    version: () => versionOf("borg", "--version"),
    open: (dir) => new BorgRepository(dir, compression),
  };
}

class BorgRepository {
  #dir;
  #compression;
  #env;
  #count = 0;

  constructor(dir, compression) {
    this.#dir = dir;
    this.#compression = compression;
    this.#env = {
      BORG_REPO: join(dir, "repository"),
      BORG_BASE_DIR: join(dir, "base"),
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: "yes",
      BORG_RELOCATED_REPO_ACCESS_IS_OK: "yes",
    };
  }

  prepare() {
    mkdirSync(this.#dir, { recursive: true });
    runQuietly(["borg", "init", "-e", "none"], { env: this.#env });
  }

  #on(...args) {
    return { argv: ["borg", ...args], env: this.#env };
  }

  snapshot(memory) {
    this.#count += 1;
    return { ...this.#on("create", "-C", this.#compression, `::${this.#count}`, "."), cwd: memory };
  }

  verify() {
    return this.#on("check", "--verify-data");
  }

  restore(target) {
    return { shell: `mkdir -p "$target" && cd "$target" && borg extract "::$archive"`, env: this.#about(target) };
  }

  file(path, target) {
    const shell = `mkdir -p "$target" && borg extract --stdout "::$archive" "$path" >"$target/file"`;
    return { shell, env: { ...this.#about(target), path } };
  }

  #about(target) {
    return { ...this.#env, target, archive: String(this.#count) };
  }

  storedBytes() {
    return sizeOf(this.#env.BORG_REPO).bytes;
  }
}
