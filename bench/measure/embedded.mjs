/**
 * `node embedded.mjs <request.json>` takes a snapshot as an agent does that has Keepsake within itself, while another process writes.
 * Prints how late its event loop was, and how long the other one's transactions took, before and meanwhile.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generateIdentity, openKeepsake } from "../../packages/standard/dist/index.js";

const WRITER = fileURLToPath(new URL("./writer.mjs", import.meta.url));
const BASELINE_MS = 3_000;
const NS_PER_MS = 1e6;

const { dir, encrypted } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const memory = join(dir, "memory");
const recipients = encrypted ? [(await generateIdentity()).recipient] : [];

const writer = fork(WRITER, [join(memory, "store-0.sqlite")], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
async function ask(question) {
  writer.send(question);
  const [answer] = await once(writer, "message");
  return answer;
}

async function watched(work) {
  await ask("begin");
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  const result = await work();
  const wallMs = performance.now() - begun;
  delay.disable();
  const loop = { p99Ms: delay.percentile(99) / NS_PER_MS, maxMs: delay.max / NS_PER_MS };
  return { result, wallMs, loop, writes: await ask("report") };
}

const keepsake = await openKeepsake({ stateRoot: join(dir, "state"), config: { redaction: { default: false } } });
try {
  const idle = await watched(() => sleep(BASELINE_MS));
  const busy = await watched(() => keepsake.snapshot({ agent: "bench", memory, ...(encrypted && { recipients }) }));
  process.stdout.write(
    JSON.stringify({
      wallMs: busy.wallMs,
      loopP99Ms: busy.loop.p99Ms,
      loopMaxMs: busy.loop.maxMs,
      idleLoopP99Ms: idle.loop.p99Ms,
      heldMs: busy.result.manifest?.cut?.heldMs,
      writerP99Ms: busy.writes.p99Ms,
      writerMaxMs: busy.writes.maxMs,
      idleWriterP99Ms: idle.writes.p99Ms,
      writes: busy.writes.count,
    }),
  );
} finally {
  await keepsake[Symbol.asyncDispose]();
  writer.disconnect();
}
