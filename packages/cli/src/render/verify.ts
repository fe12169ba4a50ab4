import { isErrorCode } from "@keepsake/core";
import type { VerifyReport } from "@keepsake/engine";
import { exitOf } from "../errors/exit-code.js";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { facts } from "../output/table.js";

const MARKS = { ok: "ok", failed: "FAILED", not_checked: "not checked" } as const;

/** The checks, a line each, and the verdict. */
export function verifyText(report: VerifyReport, style: Style): string {
  const paint = { ok: style.green, failed: style.red, not_checked: style.yellow };
  const checks = facts(
    report.checks.map((check) => {
      const why = [check.detail, check.code].filter((part) => part !== undefined).join(" ");
      return [
        check.name,
        paint[check.status](MARKS[check.status]) + (why === "" ? "" : style.dim(`  ${printable(why)}`)),
      ];
    }),
    style,
  );
  const unchecked = report.checks.filter((check) => check.status === "not_checked").length;
  const failed = report.checks.some((check) => check.status === "failed");
  const verdict = failed
    ? style.red("This bundle cannot be trusted.")
    : !report.ok
      ? style.red(unreadable(report))
      : unchecked === 0
        ? style.green("All checks passed.")
        : style.green("No check failed") + style.yellow(`, ${String(unchecked)} could not be made.`);
  return `${printable(report.bundle)}\n${checks}${verdict}\n`;
}

/** Why a bundle that is not known to be bad cannot be called good. */
function unreadable({ checks }: VerifyReport): string {
  const codes = checks.flatMap(({ code }) => code ?? []);
  if (codes.some((code) => code !== "E_IDENTITY" && code !== "E_DECRYPT")) return "This bundle cannot be read here.";
  return "No given identity opens this bundle: the wrong one, or the bundle was changed.";
}

/**
 * 0, or 4 as soon as one failed check is about the bytes; a bundle that only could not be read (too new, no fitting
 * identity) ends with the exit code of that reason.
 *
 * @param withIdentity an identity was given: then an encrypted bundle that stays closed could not be decrypted
 */
export function verifyExit(report: VerifyReport, withIdentity: boolean): number {
  const failed = report.checks.some((check) => check.status === "failed");
  if (!failed) {
    const why = report.checks.find(({ code }) => code !== undefined && code !== "E_IDENTITY")?.code;
    const closed = report.ageProtected && report.checks.some((check) => check.status === "not_checked");
    if (report.ok && !(withIdentity && closed)) return 0;
    return exitOf(isErrorCode(why) ? why : "E_DECRYPT");
  }
  const exits = report.checks
    .filter((check) => check.status === "failed")
    .map((check) => (isErrorCode(check.code) ? exitOf(check.code) : exitOf("E_INTEGRITY")));
  const integrity = exitOf("E_INTEGRITY");
  return exits.includes(integrity) ? integrity : (exits[0] ?? integrity);
}
