import { execFileSync } from "node:child_process";

/** True when every program is on this machine; where they are required (CI) a missing one is an error instead. */
export function havePrograms(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return true;
  if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error(`required and missing: ${missing.join(", ")}`);
  console.warn(`skipped: needs ${missing.join(", ")}`);
  return false;
}

function isThere(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v "$1"`, "sh", program], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
