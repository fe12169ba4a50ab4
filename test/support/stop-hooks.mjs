// Loaded before a program (node --import): counts the calls by which it changes files, and stops it at one of them.
// KEEPSAKE_STOP is JSON: `program` is the end of the program's name; `call` which of its calls, or `name` and `path` the
// first of that name with a path that matches; `command` what is run there; `signal` what the process then gets (KILL when
// there is none). With `log` instead every call is appended to that file.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { appendFileSync } = fs;
let count = 0;
let isOver = false;

function strike(name, args) {
  const order = JSON.parse(process.env.KEEPSAKE_STOP ?? "{}");
  const program = process.argv[1] ?? "";
  const paths = args.filter(isText);
  if (order.log !== undefined) {
    appendFileSync(order.log, `${JSON.stringify({ program, pid: process.pid, name, paths })}\n`);
  } else if (!isOver && order.program !== undefined && program.endsWith(order.program) && isThere(order, name, paths)) {
    isOver = true;
    const [command, ...rest] = order.command ?? [];
    if (command !== undefined) spawnSync(command, rest, { stdio: "ignore" });
    process.kill(process.pid, order.signal ?? "SIGKILL");
  }
}

function isThere(order, name, paths) {
  if (order.call !== undefined) return ++count === order.call;
  return name === order.name && paths.some((path) => new RegExp(order.path).test(path));
}

const isText = (value) => typeof value === "string";

/** The power fails just before a call; before the next one is just after it. Whether the program waits for it is all one. */
function hook(target, name) {
  const real = target[name];
  const call = name.replace(/Sync$/, "");
  target[name] = function (...args) {
    strike(call, args);
    return real.apply(this, args);
  };
}

const CHANGING = ["rename", "link", "unlink", "rm", "rmdir", "mkdir", "symlink"];
for (const name of CHANGING) {
  hook(fs.promises, name);
  hook(fs, `${name}Sync`);
}
for (const name of ["fsyncSync", "copyFileSync"]) hook(fs, name);
const probe = await fs.promises.open(process.execPath, "r");
const handles = Object.getPrototypeOf(probe);
for (const name of ["sync", "datasync"]) hook(handles, name);
await probe.close();
syncBuiltinESMExports();
