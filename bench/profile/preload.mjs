/**
 * Loaded before a program, and before every Node program that it starts: profiles it, and writes the profile when it ends. Node's
 * own --cpu-prof does not reach programs that are started without the arguments of their parent, as the databases' helper is.
 */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { basename, join } from "node:path";
import { threadId } from "node:worker_threads";

const program = basename(process.argv[1] ?? "node", ".js");
const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.start");
process.on("exit", () => {
  session.post("Profiler.stop", (error, { profile }) => {
    if (error !== null) return;
    const file = [program, process.pid, threadId].join("-");
    writeFileSync(join(process.env.KEEPSAKE_BENCH_PROFILES, `${file}.cpuprofile`), JSON.stringify(profile));
  });
});
