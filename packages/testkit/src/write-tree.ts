import { chmod, lutimes, mkdir, symlink, writeFile } from "node:fs/promises";

interface NodeAttributes {
  /** permission bits; default: what the umask leaves */
  readonly mode?: number;
  /** milliseconds since 1970; default now */
  readonly mtimeMs?: number;
}

/** One thing to write. Text and bytes alone are a file's content. */
export type TreeSpecNode =
  | string
  | Uint8Array
  | (NodeAttributes & { readonly file: string | Uint8Array })
  | (NodeAttributes & { readonly directory: true })
  | (Pick<NodeAttributes, "mtimeMs"> & { readonly link: string | Buffer });

/** Paths relative to the root, and what is there; as pairs where a name is no UTF-8 and has to be a Buffer. */
export type TreeSpec = Readonly<Record<string, TreeSpecNode>> | Iterable<readonly [string | Buffer, TreeSpecNode]>;

/**
 * Writes files, links and directories below `dir`, which is made if need be, as are all parents. Existing files are
 * overwritten.
 *
 * @example
 * await writeTree(dir, { "a/note.md": "hello", "run.sh": { file: "#!/bin/sh\n", mode: 0o755 }, latest: { link: "a" } });
 */
export async function writeTree(dir: string, spec: TreeSpec): Promise<void> {
  await mkdir(dir, { recursive: true });
  const later: (() => Promise<void>)[] = [];
  for (const [path, node] of isPairs(spec) ? spec : Object.entries(spec)) {
    const absolute = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(path)]);
    await mkdir(absolute.subarray(0, absolute.lastIndexOf(0x2f)), { recursive: true });
    await writeNode(absolute, node);
    later.push(() => setAttributes(absolute, node));
  }
  // Last, the deepest first: writing into a directory changes its time, and may need its mode.
  for (const set of later.toReversed()) await set();
}

function isPairs(spec: TreeSpec): spec is Iterable<readonly [string | Buffer, TreeSpecNode]> {
  return Symbol.iterator in spec;
}

async function writeNode(path: Buffer, node: TreeSpecNode): Promise<void> {
  if (typeof node === "string" || node instanceof Uint8Array) await writeFile(path, node);
  else if ("file" in node) await writeFile(path, node.file);
  else if ("link" in node) await symlink(node.link, path);
  else await mkdir(path, { recursive: true });
}

async function setAttributes(path: Buffer, node: TreeSpecNode): Promise<void> {
  if (typeof node === "string" || node instanceof Uint8Array) return;
  if ("mode" in node) await chmod(path, node.mode);
  if (node.mtimeMs !== undefined) await lutimes(path, new Date(node.mtimeMs), new Date(node.mtimeMs));
}
