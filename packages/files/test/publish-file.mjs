// node publish-file.mjs <partial> <target>
import { publishFile } from "../dist/index.js";

await publishFile(process.argv[2], process.argv[3]);
