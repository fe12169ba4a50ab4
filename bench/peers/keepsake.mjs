/** Keepsake as a user starts it: its command, with a configuration in a folder of its own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { versionOf, runQuietly, sizeOf } from "./programs.mjs";

export const COMMAND = fileURLToPath(new URL("../../packages/cli/bin/keepsake.js", import.meta.url));
const FILL = fileURLToPath(new URL("./fill-keepsake.mjs", import.meta.url));
const AGENT = "bench";

/** @param options `encrypted`; `redacted`: as the defaults are; `s3`: where its bucket is (`endpoint`, `bucket`) */
export function keepsake({ encrypted = false, redacted = false, s3 } = {}) {
  const kind = [encrypted && "encrypted", redacted && "redacted"].filter(Boolean).join(" ");
  return {
    name: ["keepsake", kind, s3 && "S3"].filter(Boolean).join(" "),
    remote: s3 !== undefined,
    version: () => versionOf(process.execPath, COMMAND, "--version")?.replace(process.execPath, "keepsake"),
    open: (dir) => new KeepsakeRepository(dir, { encrypted, redacted, s3 }),
  };
}

export class KeepsakeRepository {
  #dir;
  #config;
  #identity;
  #settings;

  constructor(dir, { encrypted = false, redacted = false, s3 } = {}) {
    this.#dir = dir;
    this.#config = join(dir, "keepsake.config.json");
    this.#identity = join(dir, "bench.key");
    this.#settings = { encrypted, redacted, s3 };
  }

  prepare() {
    const { encrypted, redacted, s3 } = this.#settings;
    mkdirSync(this.#dir, { recursive: true });
    const recipient = encrypted && runQuietly(this.argv("keygen", "--output", this.#identity, "--quiet")).trim();
    const config = {
      version: 1,
      state_root: "./state",
      redaction: { default: redacted },
      // What changes nothing else: no other operation is of a memory that is as it was.
      snapshot: { skip_unchanged: true },
      ...(encrypted && { encryption: { enabled: true, recipients: [recipient], identity_file: "./bench.key" } }),
      ...(s3 && { stores: { primary: { use: "s3", ...s3, prefix: `bench${this.#dir}` } } }),
    };
    writeFileSync(this.#config, JSON.stringify(config, null, 2));
  }

  get config() {
    return this.#config;
  }

  argv(...args) {
    return [process.execPath, COMMAND, ...args];
  }

  #on(command, ...args) {
    return { argv: this.argv("--config", this.#config, command, "--agent", AGENT, ...args) };
  }

  snapshot(memory, ...args) {
    return this.#on("snapshot", "--memory", memory, "--json", ...args);
  }

  verify() {
    return this.#on("verify", "latest");
  }

  restore(target) {
    return this.#on("restore", "latest", "--memory", target, "--no-pre-snapshot", "--quiet", "--yes");
  }

  /** As it is done when nobody asks for less: a snapshot first. */
  restoreUndoably(target, ref) {
    return this.#on("restore", ref, "--memory", target, "--quiet", "--yes");
  }

  file(path, target) {
    return this.#on("restore", "latest", "--memory", target, "--only", path, "--no-pre-snapshot", "--quiet", "--yes");
  }

  list() {
    return this.#on("list");
  }

  deleteOne(id) {
    return this.#on("delete", id, "--yes");
  }

  prune(count) {
    return this.#on("prune", "--keep-last", String(count), "--yes");
  }

  /** Many snapshots of a memory of one note, through the library: the command would be started for each. */
  fill(count) {
    this.prepare();
    runQuietly([process.execPath, FILL, this.#config, AGENT, String(count)]);
  }

  /** @returns ids, oldest first */
  ids() {
    const { snapshots } = JSON.parse(runQuietly([...this.#on("list").argv, "--json"]));
    return snapshots.map(({ id }) => id).reverse();
  }

  /** What is remembered beside the store, to be quicker the next time, is no part of it; nor is restic's cache. */
  storedBytes() {
    return this.#settings.s3 ? undefined : sizeOf(join(this.#dir, "state", "tenants")).bytes;
  }
}
