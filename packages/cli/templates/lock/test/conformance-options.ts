import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** For `keepsake plugin test`: the options, with `{dir}` as a new private folder for each case. */
const options = { "my-lock": { root: "{dir}/locks" } };
export default options;

/** Takes a held lock away from its holder, as somebody does who believes that the holder is dead. */
export async function lose(name: string, { dir }: { readonly dir: string }): Promise<void> {
  const folder = join(dir, "locks", encodeURIComponent(name));
  const numbers = (await readdir(folder)).map(Number).filter(Number.isInteger);
  await writeFile(join(folder, `${String(Math.max(...numbers))}.released`), "");
}

export const conformance = { "my-lock": { lose } };
