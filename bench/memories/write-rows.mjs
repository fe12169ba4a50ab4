import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./rows.mjs", import.meta.url));

/** Writes rows in a process of its own, which leaves each database's -wal behind. @param works what rows.mjs is told, by database */
export function writeRows(works) {
  if (works.length === 0) return;
  const { stdout, stderr } = spawnSync(process.execPath, [PROGRAM, JSON.stringify(works)], { encoding: "utf8" });
  if (stdout !== "done") throw new Error(`The databases could not be written: ${stderr}`);
}
