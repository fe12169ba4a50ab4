import { reportError, runCommandLine } from "./run.js";
import { processTerminal } from "./terminal.js";

const terminal = processTerminal();
// What a plugin throws where nobody can catch it still ends as every error does.
process.on("uncaughtException", (error) => {
  void reportError(error, process.argv.slice(2), terminal).then((code) => process.exit(code));
});
const exitCode = await runCommandLine(process.argv.slice(2), terminal);
// What was written to a slow pipe must leave before the process does.
await Promise.all([terminal.stdout, terminal.stderr].map((stream) => new Promise((done) => stream.write("", done))));
process.exit(exitCode);
