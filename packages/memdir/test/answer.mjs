// Answers lines of JSON, one each: {"do":"stage"|"commit"|"rollback","dir":…}, on what faults.test.ts left in the folder.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { memdir } from "../dist/index.js";

async function answer({ do: what, dir }) {
  const session = await memdir().openRestore({
    agent: { tenant: "default", agent: "ana" },
    paths: { memory: join(dir, "memory") },
    operationId: "op",
    artifacts: [],
    claimed: [],
    live: false,
    stageBeside: async () => {
      const place = join(dir, "staging");
      if (!existsSync(place)) mkdirSync(place, { mode: 0o700 });
      return place;
    },
  });
  try {
    if (what === "stage") {
      const entries = JSON.parse(readFileSync(join(dir, "entries.json"), "utf8"));
      return JSON.stringify(
        await session.stage(
          (async function* () {
            yield* entries;
          })(),
          [],
        ),
      );
    }
    await session[what](JSON.parse(readFileSync(join(dir, "plan.json"), "utf8")));
    return "done";
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await answer(JSON.parse(line)).catch((error) => error.code)}\n`);
}
