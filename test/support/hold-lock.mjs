// Takes a lock of the local-fs lock manager, says so, and keeps it until it is killed.
import { fileLocks } from "@keepsake/local-fs";

const [root = "", name = ""] = process.argv.slice(2);
await fileLocks({ root }).acquire(name, { timeoutMs: 0 });
process.stdout.write("held\n");
setInterval(() => undefined, 1000);
