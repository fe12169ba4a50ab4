// node write-file.mjs <path>: writes ten letters into a new file
import { writeNewFile } from "../dist/index.js";

async function* letters() {
  yield Buffer.from("abcdefghij");
}
await writeNewFile(process.argv[2], letters());
