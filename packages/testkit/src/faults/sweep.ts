import { type DiskFault, nameOfFault, type Strike } from "./disk-fault.js";
import { canHappen, type DiskPoint, pointsOf, spread } from "./disk-point.js";
import type { ProgramRun } from "./program.js";

/** What is swept: how a ground is made, what is done on it, and what must hold afterwards. */
export interface SweepCase<G extends AsyncDisposable> {
  /** in the report */
  readonly name: string;
  /** a new ground, alike every time; it is disposed after it was judged */
  prepare(): Promise<G>;
  /**
   * Runs the program on it, by `DiskFaults.run` or a resident program.
   *
   * @param lane from 0: what runs at once has different ones
   */
  run(ground: G, strike: Strike | undefined, lane: number): Promise<ProgramRun>;
  /** Looks at what is left. What it throws is a failure of the sweep; it does not stop it. */
  judge(ground: G, struck: Struck): Promise<void> | void;
  readonly faults: readonly DiskFault[];
  /** at most so many points of each fault, evenly spread; default: all */
  readonly pointsOfEach?: number | undefined;
  /** how many strikes at once; default 1 */
  readonly atOnce?: number;
}

/** One strike, as the judge sees it. */
export interface Struck {
  readonly point: DiskPoint;
  readonly fault: DiskFault;
  readonly run: ProgramRun;
}

/** What a sweep came to. */
export interface SweepReport {
  readonly name: string;
  /** calls of an untouched run, and the points that stand for them */
  readonly calls: number;
  readonly points: number;
  /** strikes by the name of their fault */
  readonly strikes: Readonly<Record<string, number>>;
  /** strikes that met another call than in the untouched run */
  readonly elsewhere: number;
  readonly failures: readonly string[];
  /** all of that in a line */
  readonly summary: string;
}

interface Planned {
  readonly point: DiskPoint;
  readonly fault: DiskFault;
}

/** Where parts of a program work at once, its calls come in another order each time; and a heartbeat comes, or does not. */
const ATTEMPTS = 6;

/**
 * Runs a program once untouched to learn its points, then once for each point and fault, and has each outcome judged.
 *
 * @throws what `prepare` and `run` throw, and Error when the untouched run has no calls at all
 */
export async function sweep<G extends AsyncDisposable>(swept: SweepCase<G>): Promise<SweepReport> {
  const calls = await callsOf(swept);
  const points = pointsOf(calls);
  const planned = swept.faults.flatMap((fault) =>
    spread(
      points.filter((point) => canHappen(point, fault)),
      swept.pointsOfEach ?? points.length,
    ).map((point) => ({ point, fault })),
  );
  const tally = new Tally();
  const queue = planned.values();
  const lane = async (_value: unknown, number: number): Promise<void> => {
    for (const item of queue) await strikeOnce(swept, item, number, tally);
  };
  await Promise.all(Array.from({ length: swept.atOnce ?? 1 }, lane));
  return tally.report(swept.name, calls.length, points.length);
}

async function callsOf<G extends AsyncDisposable>(swept: SweepCase<G>): Promise<ProgramRun["calls"]> {
  await using ground = await swept.prepare();
  const { calls, stderr, said } = await swept.run(ground, undefined, 0);
  if (calls.length === 0) throw new Error(`The untouched run changed nothing: ${said} ${stderr}`);
  return calls;
}

async function strikeOnce<G extends AsyncDisposable>(
  swept: SweepCase<G>,
  { point, fault }: Planned,
  lane: number,
  tally: Tally,
): Promise<void> {
  let at = point.call.ordinal;
  for (let attempt = 1; ; attempt++) {
    await using ground = await swept.prepare();
    const run = await swept.run(ground, { at, fault }, lane);
    const hit = run.calls.find(({ struck }) => struck);
    if (hit === undefined && attempt < ATTEMPTS) {
      at = nearest(run.calls, point, fault) ?? at;
      continue;
    }
    tally.add(fault, hit !== undefined && hit.name !== point.call.name);
    try {
      if (hit === undefined) throw new Error("the call was not reached");
      // What was met is what is judged: elsewhere it may have been another process.
      await swept.judge(ground, { point: { ...point, call: hit }, fault, run });
    } catch (error) {
      tally.fail(`${describe(swept.name, point, fault, run)}: ${String(error)}`);
    }
    return;
  }
}

/** Where in another run the call was, or the next one to it of that name: a fault may befall only some calls. */
function nearest(calls: ProgramRun["calls"], point: DiskPoint, fault: DiskFault): number | undefined {
  const distance = (ordinal: number): number => Math.abs(ordinal - point.call.ordinal);
  return calls
    .filter((call) => call.name === point.call.name && canHappen({ ...point, call }, fault))
    .map(({ ordinal }) => ordinal)
    .sort((a, b) => distance(a) - distance(b))[0];
}

function describe(name: string, { call }: DiskPoint, fault: DiskFault, { said, stderr, ended }: ProgramRun): string {
  const where = `call ${String(call.ordinal)}, ${call.name} ${call.path}${call.other === undefined ? "" : ` to ${call.other}`}`;
  const end = ended === undefined ? "" : `, ended with ${ended.signal ?? String(ended.exitCode)}`;
  return `${name}, ${nameOfFault(fault)} at ${where}${end}, said ${JSON.stringify(`${said.slice(0, 400)}${stderr.slice(-400)}`)}`;
}

class Tally {
  readonly #strikes: Record<string, number> = {};
  readonly #failures: string[] = [];
  #elsewhere = 0;

  add(fault: DiskFault, elsewhere: boolean): void {
    const name = nameOfFault(fault);
    this.#strikes[name] = (this.#strikes[name] ?? 0) + 1;
    if (elsewhere) this.#elsewhere++;
  }

  fail(text: string): void {
    this.#failures.push(text);
  }

  report(name: string, calls: number, points: number): SweepReport {
    const kinds = Object.entries(this.#strikes).map(([kind, count]) => `${kind} ${String(count)}`);
    const total = Object.values(this.#strikes).reduce((sum, count) => sum + count, 0);
    const summary = [
      `${name}: ${String(calls)} calls, ${String(points)} points, ${String(total)} strikes (${kinds.join(", ")})`,
      `${String(this.#elsewhere)} elsewhere, ${String(this.#failures.length)} failures`,
    ].join(", ");
    return {
      ...{ name, calls, points, summary },
      strikes: this.#strikes,
      elsewhere: this.#elsewhere,
      failures: this.#failures,
    };
  }
}
