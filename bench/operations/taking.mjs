/** Taking snapshots. Each contender keeps the store of its last first one for what follows. */

export const first = {
  id: "first",
  title: "first snapshot",
  run: (bench) =>
    bench.interleaved(
      "first",
      async (contender) => {
        const repository = await bench.emptyRepository(contender);
        return repository.snapshot(bench.workspace.memory);
      },
      { limits: true, after: (contender) => bench.noteStored(contender) },
    ),
};

/** Ten notes, one commit, two hundred rows more. All contenders see the same change. */
export const next = {
  id: "next",
  title: "next, after a small change",
  async run(bench) {
    await allReady(bench);
    await bench.interleaved("next", (contender) => snapshot(bench, contender), {
      before: () => bench.workspace.change(),
      after: (contender) => bench.noteStored(contender),
    });
  },
};

export const unchanged = {
  id: "unchanged",
  title: "next, nothing changed",
  async run(bench) {
    await allReady(bench);
    await bench.interleaved("unchanged", (contender) => snapshot(bench, contender));
  },
};

const STORED_AFTER = 10;

/** What is kept of ten snapshots, a small change between each: `next` is continued. */
export const stored = {
  id: "stored",
  title: "bytes stored",
  async run(bench) {
    await allReady(bench);
    while (bench.contenders().some((contender) => bench.countOf(contender) < STORED_AFTER)) {
      bench.workspace.change();
      for (const contender of bench.contenders()) await bench.unmeasured(await snapshot(bench, contender));
      for (const contender of bench.contenders()) bench.noteStored(contender);
    }
  },
};

async function allReady(bench) {
  for (const contender of bench.contenders()) await bench.repository(contender);
}

async function snapshot(bench, contender) {
  const repository = await bench.repository(contender);
  return repository.snapshot(bench.workspace.memory);
}
