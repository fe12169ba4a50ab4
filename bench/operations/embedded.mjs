import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runQuietly } from "../peers/programs.mjs";

const PROGRAM = fileURLToPath(new URL("../measure/embedded.mjs", import.meta.url));

/** What an agent notices that takes a snapshot within itself, and what a program notices that writes meanwhile. Keepsake alone. */
export const embedded = {
  id: "embedded",
  title: "while a snapshot runs",
  async run(bench) {
    for (let round = 0; round < bench.runs; round++) {
      for (const encrypted of [false, true]) {
        const dir = bench.workspace.freshPath("embedded");
        runQuietly(["mkdir", dir]);
        runQuietly(["cp", "-a", bench.workspace.memory, join(dir, "memory")]);
        const request = join(dir, "request.json");
        writeFileSync(request, JSON.stringify({ dir, encrypted }));
        const seen = JSON.parse(runQuietly([process.execPath, PROGRAM, request]));
        bench.add("embedded", encrypted ? "keepsake encrypted" : "keepsake", seen);
        rmSync(dir, { recursive: true });
      }
    }
  },
};
