import { isAbsent, same } from "../expectations.js";
import type { CaseTools, PortCase } from "../port-case.js";
import type { SourceSubject } from "./source-subject.js";
import { SourceWorld } from "./source-world.js";

/** A case about live data, which is there when it begins. Where none can be made, the source is asked about nothing. */
export function ofLive(id: string, says: string, run: (world: SourceWorld) => Promise<void>): PortCase<SourceSubject> {
  return {
    id,
    says,
    needs: { capability: "live", inverse: quietOnNothing },
    async run(subject, tools) {
      const world = new SourceWorld(subject, tools);
      await world.live.make();
      await run(world);
    },
  };
}

/** The same of what is restored; a source that cannot restore has no such member. */
export function ofRestore(
  id: string,
  says: string,
  run: (world: SourceWorld) => Promise<void>,
): PortCase<SourceSubject> {
  return {
    id,
    says,
    needs: {
      capability: "restore",
      async inverse(subject, tools) {
        if (subject.live === null) return quietOnNothing(subject, tools);
        isAbsent(subject.source, "openRestore", "A source that cannot restore has no such member.");
      },
    },
    run: (subject, tools) => run(new SourceWorld(subject, tools)),
  };
}

async function quietOnNothing(subject: SourceSubject, tools: CaseTools): Promise<void> {
  const world = new SourceWorld(subject, tools);
  const before = await world.tree();
  await world.capture();
  same(await world.tree(), before, "Something was left in an empty memory.");
}
