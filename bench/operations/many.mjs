/** What is done to a store with a thousand snapshots in it. Of those contenders that can be given so many in reasonable time. */

export const list = {
  id: "list",
  title: "list",
  run: (bench) => bench.interleaved("list", async (contender) => (await filled(bench, contender))?.list()),
};

export const deleteOne = {
  id: "delete",
  title: "delete one",
  run: (bench) =>
    bench.interleaved("delete", async (contender, round) => {
      const repository = await filled(bench, contender);
      if (repository === undefined) return undefined;
      // Neither the last nor the newest.
      return repository.deleteOne(repository.ids()[round + 1]);
    }),
};

const KEPT = 10;

/** From a thousand down to ten, in a copy each time. */
export const prune = {
  id: "prune",
  title: "prune, all but ten",
  async run(bench) {
    let copy;
    await bench.interleaved(
      "prune",
      async (contender) => {
        copy = contender.remote ? undefined : await bench.copyOfFilled(contender);
        return copy?.repository.prune(KEPT);
      },
      { after: () => bench.workspace.remove(copy.dir) },
    );
  },
};

async function filled(bench, contender) {
  return contender.remote ? undefined : bench.filledRepository(contender);
}
