import { lstatSync, readdirSync } from "node:fs";
import { errnoOf } from "@keepsake/core/basics";
import { type FsPath, joinRaw } from "./fs-path.js";
import { isOwnName } from "./own-names.js";
import { entryTypeOf, type WalkEntry, type WalkFailure, type WalkOptions, walkStats } from "./walk.js";

/**
 * The same as `walkTree`, without a turn of the event loop: ten times as quick for a small tree, and nothing else of this
 * process runs meanwhile. For a tree that is known to be small, and looks that must be close together.
 *
 * @throws the system error when the root itself cannot be read
 */
export function* walkTreeSync(
  root: FsPath,
  options: Omit<WalkOptions, "signal"> = {},
): Generator<WalkEntry | WalkFailure> {
  yield* entriesOf(root, Buffer.alloc(0), readdirSync(root, { encoding: "buffer" }), options);
}

function* entriesOf(
  folder: FsPath,
  prefix: Buffer,
  names: Buffer[],
  options: Omit<WalkOptions, "signal">,
): Generator<WalkEntry | WalkFailure> {
  for (const name of names.sort((a, b) => a.compare(b))) {
    const found = inspect(folder, prefix, name);
    if (found === undefined) continue;
    if (found.type === "failed") {
      yield found;
      continue;
    }
    if (isOwnName(name, found.type === "directory")) {
      options.onOwn?.(found);
      continue;
    }
    if (options.enter?.(found) === false) continue;
    yield found;
    if (found.type === "directory") yield* below(found, options);
  }
}

function* below(entry: WalkEntry, options: Omit<WalkOptions, "signal">): Generator<WalkEntry | WalkFailure> {
  let names: Buffer[];
  try {
    names = readdirSync(entry.absolute, { encoding: "buffer" });
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return;
    yield { relative: entry.relative, absolute: entry.absolute, type: "failed", error };
    return;
  }
  yield* entriesOf(entry.absolute, entry.relative, names, options);
}

function inspect(folder: FsPath, prefix: Buffer, name: Buffer): WalkEntry | WalkFailure | undefined {
  const absolute = joinRaw(folder, name);
  const relative = prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
  try {
    const stats = lstatSync(absolute, { bigint: true });
    return { relative, absolute, type: entryTypeOf(stats), stats: walkStats(stats) };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    return { relative, absolute, type: "failed", error };
  }
}
