import { runCommandLine } from "./run.js";
import { processTerminal } from "./terminal.js";

const terminal = processTerminal();
const exitCode = await runCommandLine(process.argv.slice(2), terminal);
// What was written to a slow pipe must leave before the process does.
await Promise.all([terminal.stdout, terminal.stderr].map((stream) => new Promise((done) => stream.write("", done))));
process.exit(exitCode);
