/** What the terminal shows of a run. */
import { ceilingsOf, ratiosOf } from "./summary.mjs";
import { mebibytes, megabytes, ratio, seconds } from "./units.mjs";

const HEAD = ["", "s", "CPU s", "RSS MiB", "PSS MiB", "disk MB", "written MB", "read MB"];

export function printReport(report, titles, print) {
  print(
    `${report.size}: ${megabytes(report.memory.bytes)} MB in ${report.memory.files} files; ${report.machine}; ${report.date}`,
  );
  for (const [operation, byName] of Object.entries(report.operations)) {
    print(`\n${titles.get(operation) ?? operation}`);
    if (operation === "embedded") printEmbedded(byName, print);
    else printRows([HEAD, ...Object.entries(byName).map(([name, values]) => rowOf(name, values))], print);
  }
  printStored(report.stored, print);
  printGoals(report, titles, print);
}

function rowOf(name, values) {
  const memory = [mebibytes(values.rssBytes), mebibytes(values.pssBytes)];
  const bytes = [values.diskWrittenBytes, values.writtenBytes, values.readBytes].map(megabytes);
  return [name, seconds(values.wallMs), seconds(values.cpuMs), ...memory, ...bytes];
}

function printEmbedded(byName, print) {
  const ms = (number) => (number === undefined ? "–" : number.toFixed(number < 1 ? 2 : 1));
  const rows = Object.entries(byName).map(([name, seen]) => [
    name,
    ...[seen.loopP99Ms, seen.loopMaxMs, seen.heldMs, seen.writerP99Ms, seen.idleWriterP99Ms, seen.writerMaxMs].map(ms),
  ]);
  const head = ["ms", "loop p99", "loop max", "held", "writer p99", "without", "writer max"];
  printRows([head, ...rows], print);
}

function printStored(stored, print) {
  const names = Object.keys(stored);
  if (names.length === 0) return;
  print("\nstored, MB");
  const of = (name, count) => (stored[name][count] === undefined ? "–" : megabytes(stored[name][count]));
  printRows([["", "after 1", "after 10"], ...names.map((name) => [name, of(name, 1), of(name, 10)])], print);
}

function printGoals(report, titles, print) {
  const goals = ratiosOf(report).map(({ operation, subject, peer, ratio: seen, limit, met }) => [
    `${titles.get(operation) ?? operation}: ${subject} / ${peer}`,
    ratio(seen),
    `≤ ${ratio(limit)}`,
    met ? "met" : "MISSED",
  ]);
  const ceilings = ceilingsOf(report).map(({ title, value, limit, unit, scale, operation, name, met }) => [
    `${title} (${operation}, ${name})`,
    (value / scale).toFixed(1),
    `≤ ${limit / scale} ${unit}`,
    met ? "met" : "MISSED",
  ]);
  if (goals.length + ceilings.length === 0) return;
  print("\ngoals");
  printRows([["", "seen", "goal", ""], ...goals, ...ceilings], print);
}

function printRows(rows, print) {
  const widths = rows[0].map((_cell, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])));
    print(`  ${cells.join("  ")}`.trimEnd());
  }
}
