/** Below so much more, a doubling of little is no doubling: what differs between machines and versions of Node. */
const SLACK = {
  "files opened": 20,
  syncs: 0,
  processes: 0,
  threads: 4,
  "bytes read": 2_000_000,
  "bytes written": 200_000,
  "MiB of memory": 16,
};

/**
 * @param expected counts by operation, as they are written down
 * @param seen the same, as they are now
 * @returns `failures`: a sentence for each count that has doubled; `gains`: for each that has halved
 */
export function compareCounts(expected, seen) {
  const [failures, gains] = [[], []];
  for (const [operation, counts] of Object.entries(seen)) {
    for (const [name, now] of Object.entries(counts)) {
      const before = expected[operation]?.[name];
      if (before === undefined) failures.push(`${operation}: ${name} are not written down: there are ${told(now)}.`);
      else if (now >= 2 * before && now - before > SLACK[name]) {
        failures.push(`${operation}: ${name} have doubled: ${told(now)} now, ${told(before)} before.`);
      } else if (2 * now <= before && before - now > SLACK[name]) {
        gains.push(`${operation}: ${name} have halved: ${told(now)} now, ${told(before)} before.`);
      }
    }
  }
  return { failures, gains };
}

const told = (number) => number.toLocaleString("en");

/** What is written down says no more than is meant: three digits. */
export function rounded(counts) {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count.toPrecision(3))]));
}
