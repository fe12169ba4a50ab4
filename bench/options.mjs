import { parseArgs } from "node:util";
import { SIZES } from "./memories/sizes.mjs";
import { OPERATIONS } from "./operations/operations.mjs";
import { TABLE } from "./plan.mjs";

export const USAGE = `npm run bench -- [options]

  --size <s,…>       ${Object.keys(SIZES).join(", ")}; default small
  --runs <n>         how often each contender does each operation; default 5
  --only <op,…>      ${OPERATIONS.map(({ id }) => id).join(", ")}
  --table            all that the README shows, each size and operation as often as there; more than an hour
  --peers, --no-peers  with restic, borg and the others (default), or Keepsake alone
  --redacted         Keepsake with its redaction, too
  --snapshots <n>    how many a full store has (list, delete, prune); default 1000
  --dir <folder>     where everything is made and removed; default the folder for temporary files
  --json <file>      writes all measures
  --from <file,…>    reports what --json wrote, and measures nothing
  --readme           writes the table into README.md, and the chart into docs/
  --profile <op>     first, next, unchanged, verify, restore: where Keepsake's time goes, and a .cpuprofile
  --encrypted        with --profile: encrypted
`;

/** @throws with a sentence when something is not understood */
export function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    allowNegative: true,
    options: {
      size: { type: "string", default: "small" },
      runs: { type: "string", default: "5" },
      only: { type: "string" },
      table: { type: "boolean", default: false },
      peers: { type: "boolean", default: true },
      redacted: { type: "boolean", default: false },
      snapshots: { type: "string", default: "1000" },
      dir: { type: "string" },
      json: { type: "string" },
      from: { type: "string" },
      readme: { type: "boolean", default: false },
      profile: { type: "string" },
      encrypted: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const runs = positive(values.runs, "--runs");
  const asked = values.size.split(",").map((size) => ({ size, runs, only: values.only }));
  return {
    ...values,
    snapshots: positive(values.snapshots, "--snapshots"),
    parts: (values.table ? TABLE : asked).map(partOf),
  };
}

/** What is measured of one size. */
function partOf({ only, ...part }) {
  known(part.size, Object.keys(SIZES), "size");
  const ids = OPERATIONS.map(({ id }) => id);
  const chosen = only?.split(",");
  for (const id of chosen ?? []) known(id, ids, "operation");
  return { ...part, only, operations: OPERATIONS.filter(({ id }) => chosen === undefined || chosen.includes(id)) };
}

function known(word, words, what) {
  if (!words.includes(word)) throw new Error(`There is no ${what} ${word}: ${words.join(", ")}.`);
}

function positive(text, name) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name} is a whole number, at least 1.`);
  return number;
}
