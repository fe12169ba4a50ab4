import { median } from "../measure/percentile.mjs";
import { CEILINGS, GOALS, STORED_GOALS } from "./goals.mjs";

/** The medians of a run. @returns by operation and contender, each measure's middle value, and how many runs it is of */
export function summarise(results) {
  const operations = {};
  for (const [operation, byName] of results) {
    operations[operation] = {};
    for (const [name, runs] of byName) operations[operation][name] = middleOf(runs);
  }
  return operations;
}

function middleOf(runs) {
  const measures = Object.keys(runs[0]).filter((key) => typeof runs[0][key] === "number");
  return {
    runs: runs.length,
    ...Object.fromEntries(measures.map((key) => [key, median(runs.map((run) => run[key]))])),
  };
}

/** Keepsake against its goals. @returns those whose both sides were measured, with `ratio` and whether it is `met` */
export function ratiosOf({ operations, stored }) {
  const timed = GOALS.map((goal) => {
    const [ours, theirs] = [goal.subject, goal.peer].map((name) => operations[goal.operation]?.[name]?.wallMs);
    return { ...goal, ratio: ours / theirs };
  });
  const kept = STORED_GOALS.map((goal) => {
    const [ours, theirs] = [goal.subject, goal.peer].map((name) => stored[name]?.[1]);
    return { operation: "stored", ...goal, ratio: ours / theirs };
  });
  return [...timed, ...kept]
    .filter(({ ratio }) => Number.isFinite(ratio))
    .map((goal) => ({ ...goal, met: goal.ratio <= goal.limit }));
}

/** The worst of Keepsake's operations under each ceiling. */
export function ceilingsOf({ operations }) {
  return CEILINGS.flatMap((ceiling) => {
    const seen = Object.entries(operations).flatMap(([operation, byName]) =>
      Object.entries(byName)
        .filter(([name, values]) => name.startsWith("keepsake") && values[ceiling.measure] !== undefined)
        .map(([name, values]) => ({ operation, name, value: values[ceiling.measure] })),
    );
    if (seen.length === 0) return [];
    const worst = seen.reduce((most, one) => (one.value > most.value ? one : most));
    return [{ ...ceiling, ...worst, met: worst.value <= ceiling.limit }];
  });
}
