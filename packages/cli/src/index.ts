export { exitCodeOf } from "./errors/exit-code.js";
export { runCommandLine } from "./run.js";
export { processTerminal, type Terminal } from "./terminal.js";
