import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { tempDir } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";

const BIN = fileURLToPath(new URL("../packages/cli/bin/keepsake.js", import.meta.url));
const GIB = 1 << 30;
/** How large the database is. One of 20 takes three times as much disk, and some minutes. */
const SIZE_GIB = Number(process.env["LARGE_GIB"] ?? "1");
const LIMIT_BYTES = 400 << 20;
const BLOB_BYTES = 64 << 10;
/** What better-sqlite3 takes for one value has a limit below half a gibibyte. */
const ZEROS_PER_GIB = 4;
const ZEROS_BYTES = GIB / ZEROS_PER_GIB;

/** Peak resident memory of one process, in bytes; 0 when it is gone. */
function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) << 10;
  } catch {
    return 0;
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return [];
  }
}

/** Runs the command. @returns the peak resident memory of it and of each process it starts, in bytes, added up */
async function peakOfCommand(...args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  const peaks = new Map<number, number>();
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    for (const pid of [child.pid, ...childrenOf(child.pid)]) {
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, peakOf(pid)));
    }
    await delay(20);
  }
  expect(await ended).toEqual([0, null]);
  return [...peaks.values()].reduce((sum, peak) => sum + peak, 0);
}

/** A database of at least that size: a gibibyte of text that compresses a little, and zeros. */
function makeLarge(file: string): number {
  const database = new Database(file);
  // Zeros of many gibibytes would else be written twice.
  database.pragma("journal_mode = OFF");
  database.exec("CREATE TABLE blobs (id INTEGER PRIMARY KEY, body BLOB)");
  const insert = database.prepare("INSERT INTO blobs (body) VALUES (?)");
  const rows = Math.ceil(GIB / BLOB_BYTES);
  const body = Buffer.alloc(BLOB_BYTES);
  let state = 12_345;
  for (let begin = 0; begin < rows; begin += 256) {
    database.transaction(() => {
      for (let row = begin; row < Math.min(begin + 256, rows); row++) {
        for (let at = 0; at < BLOB_BYTES; at += 4) {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          body.writeUInt32LE(state & 0x3f3f3f3f, at);
        }
        insert.run(body);
      }
    })();
  }
  const zeros = database.prepare("INSERT INTO blobs (body) VALUES (zeroblob(?))");
  for (let more = 0; more < ZEROS_PER_GIB * (SIZE_GIB - 1); more++) zeros.run(ZEROS_BYTES);
  database.pragma("journal_mode = WAL");
  database.close();
  return rows + ZEROS_PER_GIB * (SIZE_GIB - 1);
}

function summaryOf(file: string): unknown {
  const database = new Database(file, { readonly: true });
  const found = database
    .prepare(
      "SELECT count(*) AS rows, sum(length(body)) AS bytes, min(hex(substr(body, 1, 8))) AS least, max(hex(substr(body, 65000, 8))) AS most FROM blobs",
    )
    .get();
  database.close();
  return found;
}

describe.runIf(existsSync("/proc/self/status"))(`a database of ${String(SIZE_GIB)} GiB`, () => {
  it(
    "is captured, verified and restored in bounded memory",
    async () => {
      await using temp = await tempDir();
      const memory = temp.join("memory");
      await mkdir(memory);
      const live = `${memory}/large.sqlite`;
      const rows = makeLarge(live);
      const before = summaryOf(live);
      expect(before).toMatchObject({ rows });
      const common = ["--agent", "ana", "--root", temp.join("state"), "--quiet"];
      const peaks = {
        snapshot: await peakOfCommand("snapshot", ...common, "--memory", memory, "--no-redact"),
        verify: await peakOfCommand("verify", ...common, "latest"),
        restore: 0,
      };
      await rm(live);
      peaks.restore = await peakOfCommand("restore", ...common, "--memory", memory, "latest", "--yes");
      expect(summaryOf(live)).toEqual(before);
      const told = Object.entries(peaks).map(([what, peak]) => `${what} ${String(Math.round(peak / (1 << 20)))} MiB`);
      console.log(`peak resident memory, all processes of the command together: ${told.join(", ")}`);
      for (const peak of Object.values(peaks)) expect(peak).toBeLessThan(LIMIT_BYTES);
    },
    1_200_000 * SIZE_GIB,
  );
});
