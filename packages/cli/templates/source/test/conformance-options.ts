import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LiveData } from "@keepsake/testkit";

/** For `keepsake plugin test`: the source's options. The path is relative to the memory, which lies in `{dir}`. */
const options = { "my-source": { path: "../book/contacts.json" } };
export default options;

/** What the source captures, as the program that keeps it makes and changes it. */
export function live({ dir }: { readonly dir: string }): LiveData {
  const file = join(dir, "book/contacts.json");
  let changes = 0;
  return {
    async make() {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, '{"ben":"+49 30 1234"}\n');
      await chmod(file, 0o640);
    },
    async change() {
      await writeFile(file, JSON.stringify({ changes: ++changes }));
      await chmod(file, 0o600);
    },
    /** All that a restore has to bring back. */
    async read() {
      try {
        const { mode, mtimeMs } = await stat(file);
        return { text: await readFile(file, "utf8"), mode, mtimeMs: Math.floor(mtimeMs) };
      } catch {
        return null;
      }
    },
  };
}

export const conformance = { "my-source": { live } };
