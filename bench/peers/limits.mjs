/** What no program can be much faster than: each does one part of the work, and nothing else. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { versionOf, quoted, runQuietly } from "./programs.mjs";

class Hashing {
  #memory;
  prepare() {}
  snapshot(memory) {
    this.#memory = memory;
    return this.verify();
  }
  verify() {
    return { shell: "find . -type f -print0 | xargs -0 sha256sum >/dev/null", cwd: this.#memory };
  }
}

class Copying {
  #copy;
  constructor(dir) {
    this.#copy = join(dir, "copy");
  }
  prepare() {
    mkdirSync(join(this.#copy, ".."), { recursive: true });
  }
  snapshot(memory) {
    return { argv: ["cp", "-a", memory, this.#copy] };
  }
  restore(target) {
    return { shell: `mkdir -p ${quoted(target)} && cp -a ${quoted(`${this.#copy}/.`)} ${quoted(target)}` };
  }
}

class Compressing {
  #tar;
  constructor(dir) {
    this.#tar = join(dir, "memory.tar");
  }
  prepare() {
    mkdirSync(join(this.#tar, ".."), { recursive: true });
  }
  snapshot(memory) {
    runQuietly(["tar", "-cf", this.#tar, "-C", memory, "."]);
    return { shell: `zstd -3 -T2 -qc ${quoted(this.#tar)} >/dev/null` };
  }
}

export function limits() {
  const limit = (name, program, open) => ({
    name,
    kind: "limit",
    version: () => versionOf(program, "--version"),
    open,
  });
  return [
    limit("sha256sum", "sha256sum", () => new Hashing()),
    limit("cp", "cp", (dir) => new Copying(dir)),
    limit("zstd -3 -T2", "zstd", (dir) => new Compressing(dir)),
  ];
}
