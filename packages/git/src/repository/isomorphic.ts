import type { CommitObject, PromiseFsClient } from "isomorphic-git";
import { encodeLoose } from "../objects/loose.js";
import type { ObjectStore } from "../objects/object-store.js";
import { type FileMap, readGitFile } from "./file-map.js";

const GIT_DIR = "/repository";

/** Loaded with the first repository: it takes long, and many memories have none. */
const library = async () => (await import("isomorphic-git")).default;

/** Version of the library that reads commits. */
export async function isomorphicGitVersion(): Promise<string> {
  return (await library()).version();
}

function notThere(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
}

/**
 * A read-only file system in which every object of `store` is a loose one. isomorphic-git would load a pack into memory
 * whole; this way it sees one object at a time, wherever it lies.
 */
function viewOf(files: FileMap, store: ObjectStore): PromiseFsClient {
  const refuse = async (path: string): Promise<never> => {
    throw notThere(path);
  };
  const readFile = async (path: string, options?: string | { encoding?: string }): Promise<Buffer | string> => {
    const inner = path.slice(GIT_DIR.length + 1);
    const oid = /^objects\/([0-9a-f]{2}\/[0-9a-f]+)$/.exec(inner)?.[1]?.replace("/", "");
    const object = oid === undefined ? undefined : store.read(oid);
    const bytes = object === undefined ? readGitFile(files, inner) : encodeLoose(object);
    if (bytes === undefined) throw notThere(path);
    const encoding = typeof options === "string" ? options : options?.encoding;
    return encoding === undefined ? bytes : bytes.toString("utf8");
  };
  return {
    promises: {
      readFile,
      readdir: async () => [],
      writeFile: refuse,
      unlink: refuse,
      mkdir: refuse,
      rmdir: refuse,
      stat: refuse,
      lstat: refuse,
      readlink: refuse,
      symlink: refuse,
    },
  };
}

/** Reads a commit with isomorphic-git. @returns undefined when it cannot */
export async function readThrough(files: FileMap, store: ObjectStore, oid: string): Promise<CommitObject | undefined> {
  try {
    return (await (await library()).readCommit({ fs: viewOf(files, store), gitdir: GIT_DIR, oid })).commit;
  } catch {
    return undefined;
  }
}

/** What isomorphic-git, a reader that shares no code with ours, takes HEAD for. @returns undefined when it finds none */
export async function resolveHeadThrough(files: FileMap, store: ObjectStore): Promise<string | undefined> {
  try {
    return await (await library()).resolveRef({ fs: viewOf(files, store), gitdir: GIT_DIR, ref: "HEAD" });
  } catch {
    return undefined;
  }
}
