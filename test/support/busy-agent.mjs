// Works on one agent's snapshots without a pause, as one of several processes: busy-agent.mjs <configuration> <state root>
// <rounds> <marker>. Its state values take the marker, a file that must not be
// there, for as long as they are asked something. Tells as JSON what it took and deleted; whatever fails ends it.
import { open, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { definePlugin, stateProvider } from "@keepsake/core";
import { openKeepsake } from "@keepsake/standard";

const [config = "{}", stateRoot = "", rounds = "1", marker = ""] = process.argv.slice(2);

async function alone(work) {
  // Fails when another process is inside, too.
  await (await open(marker, "wx")).close();
  try {
    await sleep(2);
    return await work();
  } finally {
    await rm(marker);
  }
}

const plugin = definePlugin({
  name: "marker",
  api: 1,
  providers: [
    stateProvider("marker", {
      create: () => ({
        id: "marker",
        keys: ["marker"],
        async *capture() {
          yield await alone(async () => ({ key: "marker", value: 1 }));
        },
        restore: () => alone(async () => undefined),
      }),
    }),
  ],
});

const keepsake = await openKeepsake({
  config: { ...JSON.parse(config), plugins: [plugin], state: [{ use: "marker" }] },
  stateRoot,
  cwd: stateRoot,
  env: {},
});
const agent = "ana";
const taken = [];
const deleted = [];
const note = ({ preSnapshot }) => preSnapshot !== undefined && taken.push(preSnapshot);
for (let round = 0; round < Number(rounds); round++) {
  taken.push((await keepsake.snapshot({ agent })).record.id);
  if (round % 4 === 1) note(await keepsake.restore({ agent, ref: "latest" }));
  if (round % 4 === 2) {
    try {
      deleted.push((await keepsake.delete({ agent, ref: taken.at(-1) })).deleted);
    } catch (error) {
      // The other one's pruning came first.
      if (error.code !== "E_NOT_FOUND") throw error;
    }
  }
  if (round % 8 === 3) deleted.push(...(await keepsake.prune({ agent, keep: { last: 6 } })).deleted);
}
await keepsake[Symbol.asyncDispose]();
process.stdout.write(JSON.stringify({ taken, deleted }));
