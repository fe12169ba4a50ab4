/** The table of the README: what is between two marks there is replaced by it. */
import { readFileSync, writeFileSync } from "node:fs";
import { ceilingsOf, ratiosOf } from "./summary.mjs";
import { megabytes, ratio, seconds } from "./units.mjs";

const BEGIN = "<!-- benchmark: `npm run bench -- --readme` writes what follows -->";
const END = "<!-- end of benchmark -->";

/** @param reports one for each size */
export function markdownOf(reports, titles) {
  const [{ date, machine, versions }] = reports;
  const commands = reports.flatMap(({ command, commands = [command] }) => commands.map((one) => `\`${one}\``));
  return [
    `Measured on ${date} with ${machine}, by ${commands.join(" and ")}: ${[...new Set(Object.values(versions))].join("; ")}.`,
    `${reports.map(describe).join("; ")}. A goal that is missed stands in bold.`,
    "",
    ratioTable(reports, titles),
    "",
    `![Times beside those of the others](docs/benchmarks.svg)`,
    "",
    timeTable(reports, titles),
    ...storedTable(reports),
  ].join("\n");
}

function describe({ size, memory, runs, operations }) {
  const others = Object.entries(operations).filter(([, byName]) => runsOf(byName) !== runs).length;
  const but = others === 0 ? "" : ", where the second table does not say otherwise";
  return `${size}: ${megabytes(memory.bytes)} MB in ${memory.files} files, ${times(runs)}${but}`;
}

const times = (runs) => (runs === 1 ? "one run" : `medians of ${runs} runs`);

/** How often everybody did an operation: several commands may have measured those of one size. */
function runsOf(byName) {
  return Math.max(...Object.values(byName).map(({ runs }) => runs));
}

/** Bars of a table's text would end its cells. */
const cell = (text) => text.replaceAll("|", String.raw`\|`);
const line = (cells) => `| ${cells.map(cell).join(" | ")} |`;

function ratioTable(reports, titles) {
  const columns = reports.map((report) => ({ goals: ratiosOf(report), ceilings: ceilingsOf(report) }));
  const shown = (seen, text) => (seen === undefined ? "–" : seen.met ? text(seen) : `**${text(seen)}**`);
  const goals = distinct(
    columns.flatMap((column) => column.goals),
    keyOfGoal,
  ).map((goal) => [
    `${titles.get(goal.operation) ?? goal.operation}: ${goal.subject} / ${goal.peer}`,
    ...columns.map((column) =>
      shown(
        column.goals.find((one) => keyOfGoal(one) === keyOfGoal(goal)),
        (one) => ratio(one.ratio),
      ),
    ),
    `≤ ${ratio(goal.limit)}`,
  ]);
  const ceilings = distinct(
    columns.flatMap((column) => column.ceilings),
    keyOfCeiling,
  ).map((ceiling) => [
    ceiling.title,
    ...columns.map((column) =>
      shown(
        column.ceilings.find((one) => keyOfCeiling(one) === keyOfCeiling(ceiling)),
        (one) => `${(one.value / one.scale).toFixed(0)} ${one.unit}`,
      ),
    ),
    `≤ ${ceiling.limit / ceiling.scale} ${ceiling.unit}`,
  ]);
  const head = ["Keepsake's share of the other's time", ...reports.map(({ size }) => size), "goal"];
  return [line(head), rule(head), ...[...goals, ...ceilings].map(line)].join("\n");
}

const keyOfGoal = ({ operation, subject, peer }) => `${operation}/${subject}/${peer}`;
const keyOfCeiling = ({ measure }) => measure;

function distinct(items, keyOf) {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

function timeTable(reports, titles) {
  const names = [...new Set(reports.flatMap(({ operations }) => Object.entries(operations).flatMap(timedNames)))];
  const head = ["seconds", ...names];
  const rows = reports.flatMap(({ size, runs, operations }) =>
    Object.entries(operations)
      .filter(([operation]) => operation !== "embedded")
      .map(([operation, byName]) => [
        `${titles.get(operation) ?? operation} (${size}${runsOf(byName) === runs ? "" : `, ${times(runsOf(byName))}`})`,
        ...names.map((name) => (byName[name] === undefined ? "–" : seconds(byName[name].wallMs))),
      ]),
  );
  return [line(head), rule(head), ...rows.map(line)].join("\n");
}

/** What is in the stores, by who has them. @returns lines; none where it was not measured */
function storedTable(reports) {
  const columns = reports
    .flatMap(({ size, stored = {} }) =>
      COUNTS.map((count) => ({
        title: `${size}, after ${count}`,
        of: (name) => stored[name]?.[count],
        isEmpty: Object.values(stored).every((byCount) => byCount[count] === undefined),
      })),
    )
    .filter(({ isEmpty }) => !isEmpty);
  if (columns.length === 0) return [];
  const names = [...new Set(reports.flatMap(({ stored = {} }) => Object.keys(stored)))];
  const head = ["MB in the store, by snapshots", ...columns.map(({ title }) => title)];
  const shown = (bytes) => (bytes === undefined ? "–" : megabytes(bytes));
  const rows = names.map((name) => [name, ...columns.map(({ of }) => shown(of(name)))]);
  return ["", line(head), rule(head), ...rows.map(line)];
}

/** After so many snapshots it is looked at. */
const COUNTS = [1, 10];

function timedNames([operation, byName]) {
  return operation === "embedded" ? [] : Object.keys(byName);
}

const rule = (head) => `|${head.map((_cell, column) => (column === 0 ? "---" : "---:")).join("|")}|`;

/** @throws when the file has not both marks */
export function replaceBetweenMarks(file, markdown) {
  const text = readFileSync(file, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`${file} has no place for the benchmark: ${BEGIN} … ${END}`);
  writeFileSync(file, `${text.slice(0, begin + BEGIN.length)}\n\n${markdown}\n\n${text.slice(end)}`);
}
