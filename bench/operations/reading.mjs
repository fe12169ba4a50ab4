/** Checking a snapshot and getting it back. */
import { noteAt } from "../memories/make-memory.mjs";
import { checkRestored } from "./check-restored.mjs";

/** All bytes: of a store with one snapshot when it follows `first`. */
export const verify = {
  id: "verify",
  title: "verify all bytes",
  run: (bench) =>
    bench.interleaved(
      "verify",
      async (contender) => {
        const repository = await bench.repository(contender);
        return repository.verify?.();
      },
      { limits: true },
    ),
};

export const restoreEmpty = {
  id: "restore-empty",
  title: "restore into an empty place",
  run: (bench) =>
    restoring(bench, "restore-empty", {
      targetOf: () => bench.workspace.freshPath("target"),
      restore: (repository, target) => repository.restore?.(target),
    }),
};

/** Fifty notes overwritten, twenty added, a third of a database's rows gone. No snapshot before it: the peers take none. */
export const restoreOver = {
  id: "restore-over",
  title: "restore in place, over a changed memory",
  run: (bench) =>
    restoring(bench, "restore-over", {
      targetOf: () => bench.workspace.copyOf(bench.workspace.wrecked(), "target"),
      restore: (repository, target) => repository.restore?.(target),
    }),
};

/** As Keepsake does it when nobody asks for less. In a store of its own, which the snapshot that is taken does not leave as it was. */
export const restoreUndoably = {
  id: "restore-undoably",
  title: "restore in place, a snapshot of what is there first",
  async run(bench) {
    // The oldest snapshot has to be of the memory as it is now.
    for (const contender of bench.contenders()) bench.forget(contender);
    await restoring(bench, "restore-undoably", {
      targetOf: () => bench.workspace.copyOf(bench.workspace.wrecked(), "target"),
      restore: (repository, target) => {
        if (repository.restoreUndoably === undefined) return undefined;
        return repository.restoreUndoably(target, repository.ids()[0]);
      },
    });
    for (const contender of bench.contenders()) bench.forget(contender);
  },
};

export const oneFile = {
  id: "one-file",
  title: "one file out of it",
  async run(bench) {
    let target;
    await bench.interleaved(
      "one-file",
      async (contender) => {
        target = bench.workspace.freshPath("target");
        const repository = await bench.repository(contender);
        return repository.file(noteAt(17), target);
      },
      { after: () => bench.workspace.leave(target) },
    );
  },
};

async function restoring(bench, operation, { targetOf, restore }) {
  let target;
  await bench.interleaved(
    operation,
    async (contender) => {
      const repository = await bench.repository(contender);
      target = targetOf();
      const command = await restore(repository, target);
      if (command === undefined) bench.workspace.leave(target);
      return command;
    },
    {
      limits: true,
      after: () => {
        checkRestored(bench.workspace.memory, target);
        bench.workspace.leave(target);
      },
    },
  );
}
