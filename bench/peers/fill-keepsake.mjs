/** `node fill-keepsake.mjs <config> <agent> <count>` takes so many snapshots of a memory of one note. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openKeepsake } from "../../packages/standard/dist/index.js";

const [, , config, agent, count] = process.argv;
const dir = dirname(config);
const memory = join(dir, "one-note");
mkdirSync(memory, { recursive: true });
writeFileSync(join(memory, "note.md"), "Ben prefers tea\n");

const { version, redaction, encryption } = JSON.parse(readFileSync(config, "utf8"));
const keepsake = await openKeepsake({
  stateRoot: join(dir, "state"),
  // Without a source of databases no process is started for them: a thousand snapshots take half a minute.
  config: { version, redaction, ...(encryption && { encryption }), sources: [{ use: "memdir" }] },
});
for (let index = 0; index < Number(count); index++)
  await keepsake.snapshot({ agent, memory, label: `number ${index}` });
await keepsake[Symbol.asyncDispose]();
