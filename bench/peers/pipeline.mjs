/** What a shell can do: `tar | zstd`, perhaps `| age`. It knows no next snapshot: each is a first one. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { versionOf, quoted, runQuietly, sizeOf } from "./programs.mjs";

export function pipeline({ encrypted = false } = {}) {
  const programs = ["tar", "zstd", ...(encrypted ? ["age"] : [])];
  return {
    name: encrypted ? "tar|zstd|age" : "tar|zstd",
    version: () => {
      const lines = programs.map((program) => versionOf(program, "--version"));
      return lines.includes(undefined) ? undefined : lines.join(", ");
    },
    open: (dir) => new ArchiveFolder(dir, encrypted),
  };
}

class ArchiveFolder {
  #dir;
  #key;
  #encrypted;
  #recipient = "";
  #count = 0;

  constructor(dir, encrypted) {
    this.#dir = join(dir, "archives");
    this.#key = join(dir, "age.key");
    this.#encrypted = encrypted;
  }

  prepare() {
    mkdirSync(this.#dir, { recursive: true });
    if (!this.#encrypted) return;
    runQuietly(["age-keygen", "-o", this.#key]);
    this.#recipient = runQuietly(["age-keygen", "-y", this.#key]).trim();
  }

  get #file() {
    return quoted(join(this.#dir, `${this.#count}.tar.zst`));
  }

  get #opened() {
    return this.#encrypted ? `age -d -i ${quoted(this.#key)} ${this.#file} | zstd -dcq` : `zstd -dcq ${this.#file}`;
  }

  snapshot(memory) {
    this.#count += 1;
    const out = this.#encrypted ? `| age -r ${this.#recipient} -o ${this.#file}` : `>${this.#file}`;
    return { shell: `tar -cf - . | zstd -3 -T0 -q ${out}`, cwd: memory };
  }

  verify() {
    return { shell: `${this.#opened} | tar -tf - >/dev/null` };
  }

  restore(target) {
    return { shell: `mkdir -p ${quoted(target)} && ${this.#opened} | tar -xf - -C ${quoted(target)}` };
  }

  file(path, target) {
    const to = quoted(target);
    return { shell: `mkdir -p ${to} && ${this.#opened} | tar -xOf - ${quoted(`./${path}`)} >${to}/file` };
  }

  storedBytes() {
    return sizeOf(this.#dir).bytes;
  }
}
