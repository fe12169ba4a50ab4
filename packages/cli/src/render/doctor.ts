import type { DoctorReport } from "@keepsake/engine";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";

/** The findings, the worst last, each with what to do. */
export function doctorText(report: DoctorReport, style: Style): string {
  const order = ["ok", "warning", "problem"] as const;
  const marks = { ok: style.green("ok      "), warning: style.yellow("warning "), problem: style.red("problem ") };
  const findings = [...report.findings].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  const lines = findings.map((finding) => {
    const hint =
      finding.hint === undefined ? "" : `${" ".repeat(9)}${style.cyan("hint:")} ${printable(finding.hint)}\n`;
    return `${marks[finding.status]} ${printable(finding.name)}: ${printable(finding.message)}\n${hint}`;
  });
  const warnings = findings.filter((finding) => finding.status === "warning").length;
  const verdict = report.ok
    ? style.green(warnings === 0 ? "Everything is in order." : "Nothing is broken.")
    : style.red("Something is wrong.");
  return `${lines.join("")}${verdict}\n`;
}
