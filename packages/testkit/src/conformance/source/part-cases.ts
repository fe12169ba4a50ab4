import type { RestoreSelection } from "@keepsake/core";
import { same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { SourceSubject } from "./source-subject.js";
import { SourceWorld } from "./source-world.js";

/** So many files are selected in turn, each by itself. */
const MAX_SELECTED = 2;

/** What has this artifact path; "" is for what takes up the whole folder of its source. */
function selectionOf(selected: string): RestoreSelection {
  return { has: (_place, path) => path === selected, within: () => undefined };
}

/** What a restore of a part has to hold to. */
export const PART_CASES: readonly PortCase<SourceSubject>[] = [
  {
    id: "source.restore.part",
    says: "Of a part that is selected, `stage` misses no file that `needs` did not ask for: the plan is the same, and so is what it brings back.",
    needs: {
      capability: "part",
      async inverse({ source, live }) {
        if (live === null || source.openRestore === undefined) return;
        same(source.restores ?? "whole", "whole", "What the source says of a restore of a part.");
      },
    },
    async run(subject, tools) {
      const world = new SourceWorld(subject, tools);
      await world.live.make();
      const bundle = await world.capture();
      await world.live.change();
      const after = await world.live.read();
      const files = bundle.entries.flatMap(({ meta, path }) => (meta.type === "file" ? [path] : []));
      for (const selected of ["", ...files.slice(0, MAX_SELECTED)]) {
        const [whole, part] = [true, false].map((all) => ({ only: selectionOf(selected), all }));
        const [plan, sparse] = [
          await world.stage(bundle, undefined, whole),
          await world.stage(bundle, undefined, part),
        ];
        const told = `Of ${JSON.stringify(selected)}, without the files that were not asked for:`;
        same([sparse.changes, sparse.notices], [plan.changes, plan.notices], `${told} the plan.`);
        const found: unknown[] = [];
        for (const one of [plan, sparse]) {
          await world.step("commit", one);
          found.push(await world.live.read());
          await world.step("rollback", one);
        }
        same(found[1], found[0], `${told} what came back.`);
        same(await world.live.read(), after, `${told} what there is after it was taken back.`);
      }
    },
  },
];
