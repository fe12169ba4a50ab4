// node capture.mjs <memory> <scratch> <required>...: captures, and sends [path, type, reason] of every entry.
import { sqlite } from "../../dist/index.js";

const [memory, scratchDir, ...required] = process.argv.slice(2);
const agent = { agent: "ana", tenant: "acme" };
const session = await sqlite({ required }).open({ agent, paths: { memory }, scratchDir, claimed: [] });
const hold = await session.hold();
await session.pin();
await hold[Symbol.asyncDispose]();
const entries = [];
for await (const { path, type, reason, code, facts } of session.entries()) {
  entries.push([path, type, reason ?? "", code ?? "", facts?.row_counts.t ?? -1]);
}
await session[Symbol.asyncDispose]();
process.stdout.write(JSON.stringify(entries));
