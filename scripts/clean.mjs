/** Removes what the build and the checks leave behind; installed dependencies stay. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { packageDirectories, root } from "./lib.mjs";

for (const directory of packageDirectories()) rmSync(join(root, directory, "dist"), { recursive: true, force: true });
rmSync(join(root, "node_modules/.cache"), { recursive: true, force: true });
