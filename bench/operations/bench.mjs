import { runMeasured } from "../measure/run-measured.mjs";
import { runQuietly } from "../peers/programs.mjs";

/** What the operations of one memory share: who takes part, what each has stored, and what was measured. */
export class Bench {
  #repositories = new Map();
  #filled = new Map();
  #options;
  #results = new Map();
  stored = new Map();

  /** @param options `contenders`, `workspace`, `runs`, `snapshots`: how many are in a full store, `say`: told of progress, `signal` */
  constructor(options) {
    this.#options = options;
  }

  get workspace() {
    return this.#options.workspace;
  }

  get runs() {
    return this.#options.runs;
  }

  get snapshots() {
    return this.#options.snapshots;
  }

  contenders({ limits = false } = {}) {
    return this.#options.contenders.filter(({ kind }) => limits || kind !== "limit");
  }

  /** What each contender takes for each operation, by their names: a list of measures. */
  get results() {
    return this.#results;
  }

  /**
   * Runs every contender once, then every one again: what else the machine does meets all of them alike. The order turns.
   *
   * @param step says what a contender runs: nothing when it cannot do it. What it does itself is not measured
   * @param options `before` each round; `after` each command; `limits`: whether they take part, too
   */
  async interleaved(operation, step, { rounds = this.runs, before, after, limits = false } = {}) {
    const contenders = this.contenders({ limits });
    for (let round = 0; round < rounds; round++) {
      await before?.(round);
      for (let turn = 0; turn < contenders.length; turn++) {
        const contender = contenders[(turn + round) % contenders.length];
        const command = await step(contender, round);
        if (command === undefined) continue;
        this.#options.say(`${operation}: ${contender.name}, ${round + 1} of ${rounds}`);
        this.add(operation, contender.name, await this.#measure(command));
        await after?.(contender, round);
      }
    }
  }

  async #measure(command) {
    // What others have written is not written to the disk while this one is measured.
    runQuietly(["sync", "-f", this.workspace.dir]);
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const { measures } = await runMeasured(command, {
      scratch: this.workspace.scratch,
      signal,
    });
    return measures;
  }

  add(operation, name, measures) {
    const byName = this.#results.get(operation) ?? new Map();
    this.#results.set(operation, byName.set(name, [...(byName.get(name) ?? []), measures]));
  }

  /** A new store of a contender with nothing in it. The one before is removed. */
  async emptyRepository(contender) {
    this.forget(contender);
    const dir = this.workspace.freshPath("store");
    const repository = contender.open(dir);
    await repository.prepare();
    this.#repositories.set(contender.name, { dir, repository, count: 0 });
    return repository;
  }

  /** The store of a contender with a snapshot of the memory in it. */
  async repository(contender) {
    const known = this.#repositories.get(contender.name);
    if (known !== undefined) return known.repository;
    const repository = await this.emptyRepository(contender);
    await this.unmeasured(repository.snapshot(this.workspace.memory));
    this.noteStored(contender);
    return repository;
  }

  /** A store of a contender with many snapshots in it. @returns nothing when it cannot be given so many in reasonable time */
  async filledRepository(contender) {
    const known = this.#filled.get(contender.name);
    if (known !== undefined) return known.repository;
    const dir = this.workspace.freshPath("full-store");
    const repository = contender.open(dir);
    if (repository.fill === undefined) return undefined;
    this.#options.say(`${this.snapshots} snapshots for ${contender.name}`);
    await repository.fill(this.snapshots);
    this.#filled.set(contender.name, { dir, repository });
    return repository;
  }

  /** A copy of such a store, to be changed and forgotten. */
  async copyOfFilled(contender) {
    if ((await this.filledRepository(contender)) === undefined) return undefined;
    const dir = this.workspace.copyOf(this.#filled.get(contender.name).dir, "full-copy");
    return { dir, repository: contender.open(dir) };
  }

  forget(contender) {
    this.#discard(this.#repositories, contender);
  }

  #discard(repositories, { name }) {
    const known = repositories.get(name);
    if (known === undefined) return;
    this.workspace.remove(known.dir);
    repositories.delete(name);
  }

  async unmeasured(command) {
    await runMeasured(command, { scratch: this.workspace.scratch, signal: this.#options.signal });
  }

  /** How many snapshots a contender's store has. */
  countOf(contender) {
    return this.#repositories.get(contender.name)?.count ?? 0;
  }

  /** One snapshot more is in a contender's store. */
  noteStored(contender) {
    const known = this.#repositories.get(contender.name);
    known.count += 1;
    const bytes = known.repository.storedBytes?.();
    if (bytes !== undefined)
      this.stored.set(contender.name, { ...this.stored.get(contender.name), [known.count]: bytes });
  }
}
