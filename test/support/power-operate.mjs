// One operation of the library in a process of its own, which waits ready until it is told what to do: a line of JSON with
// `config`, `stateRoot`, `name`, `request` and `cut`, see stop-hooks.mjs. Its answer is a line, too.
import { rename, writeFile } from "node:fs/promises";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openKeepsake } from "@keepsake/standard";

/** What a program does that has never heard of power cuts. */
async function naive({ folder, name, text }) {
  await writeFile(join(folder, `${name}.new`), text);
  await rename(join(folder, `${name}.new`), join(folder, name));
  return "done";
}

const say = (answer) => writeSync(1, `${JSON.stringify(answer)}\n`);

say("ready");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { value: line } = await lines.next();
const { config, stateRoot, name, request, cut } = JSON.parse(line);
process.env.KEEPSAKE_STOP = JSON.stringify(cut);
try {
  if (name === "naive") say({ result: await naive(request) });
  else {
    const keepsake = await openKeepsake({ config, stateRoot, cwd: "/", env: {} });
    // The answer comes the moment the operation is done: whoever reads it may rely on it.
    say({ result: await keepsake[name](request) });
  }
} catch (error) {
  say({ error: { name: error?.name, code: error?.code, message: String(error) } });
}
process.exit(0);
