import { check, failsAs, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import { ofRestore } from "./of-live.js";
import type { SourceSubject } from "./source-subject.js";
import type { CapturedBundle, SourceWorld } from "./source-world.js";

/** Live data that was captured and then changed: what there was, and what there is. */
async function changed(world: SourceWorld) {
  await world.live.make();
  const before = await world.live.read();
  const bundle = await world.capture();
  await world.live.change();
  return { before, bundle, after: await world.live.read() };
}

/** Stage, commit and finish, each in a session of its own. */
async function restore(world: SourceWorld, bundle: CapturedBundle): Promise<void> {
  const plan = await world.stage(bundle);
  await world.step("commit", plan);
  await world.step("finish", plan);
}

/** A signal that fires when it is looked at for the `count`-th time. */
function firesAtLook(count: number, reason: unknown): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  let looks = 0;
  const look = (): void => {
    if (++looks === count) controller.abort(reason);
  };
  return new Proxy(signal, {
    get(target, key) {
      if (key === "aborted" || key === "throwIfAborted") look();
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

export const RESTORE_CASES: readonly PortCase<SourceSubject>[] = [
  ofRestore(
    "source.restore",
    "What was captured comes back: changed, removed and new data are as they were.",
    async (world) => {
      const { before, bundle } = await changed(world);
      await restore(world, bundle);
      same(await world.live.read(), before, "What came back is not what was captured.");
    },
  ),
  ofRestore("source.restore.gone", "It comes back also where nothing is left of it.", async (world) => {
    const empty = await world.capture();
    await world.live.make();
    const before = await world.live.read();
    const bundle = await world.capture();
    await restore(world, empty);
    await restore(world, bundle);
    same(await world.live.read(), before, "What came back is not what was captured.");
  }),
  ofRestore("source.restore.nothing", "Where the snapshot had found nothing, nothing is left.", async (world) => {
    const before = await world.live.read();
    const bundle = await world.capture();
    await world.live.make();
    await restore(world, bundle);
    same(await world.live.read(), before, "Something is left that the snapshot did not have.");
  }),
  ofRestore(
    "source.restore.same",
    "Where live data is what the bundle holds, the plan has no changes and carrying it out changes nothing.",
    async (world) => {
      await world.live.make();
      const bundle = await world.capture();
      const before = await world.tree();
      const plan = await world.stage(bundle);
      same(plan.changes, [], "The changes of a plan that has nothing to do.");
      await world.step("commit", plan);
      await world.step("finish", plan);
      same(await world.tree(), before, "Carrying it out changed the live data.");
    },
  ),
  ofRestore(
    "source.stage",
    "`stage` changes nothing live, and its plan is plain JSON that names the changes.",
    async (world) => {
      const { bundle } = await changed(world);
      const before = await world.tree();
      const plan = await world.stage(bundle);
      same(await world.tree(), before, "`stage` changed the live data.");
      same(world.stagedPlan, plan, "The plan is not plain JSON.");
      check(plan.changes.length > 0, "The plan names no change.");
      for (const { action, path } of plan.changes) {
        check(["create", "replace", "delete", "set_attributes"].includes(action), `There is no action ${action}.`);
        check(path !== "", "A change names no path.");
      }
      check(
        plan.notices.every((notice) => typeof notice === "string"),
        "Notices are sentences.",
      );
    },
  ),
  ofRestore(
    "source.stage.abort",
    "With a signal that has fired, `stage` fails with its reason and changes nothing live.",
    async (world) => {
      const { bundle } = await changed(world);
      const before = await world.tree();
      const reason = new DOMException("stop", "AbortError");
      await failsAs(reason, world.stage(bundle, AbortSignal.abort(reason)), "The signal had fired.");
      same(await world.tree(), before, "`stage` changed the live data.");
    },
  ),
  ofRestore(
    "source.commit.twice",
    "`commit` may be called again by a process that does not know that it was done.",
    async (world) => {
      const { before, bundle } = await changed(world);
      const plan = await world.stage(bundle);
      for (let round = 0; round < 2; round++) {
        await world.step("commit", plan);
        same(await world.live.read(), before, `What there is after commit ${round + 1}.`);
      }
      await world.step("finish", plan);
    },
  ),
  ofRestore(
    "source.rollback",
    "`rollback` after a commit brings back what there was before it, and may be called again.",
    async (world) => {
      const { after, bundle } = await changed(world);
      const plan = await world.stage(bundle);
      await world.step("commit", plan);
      for (let round = 0; round < 2; round++) {
        await world.step("rollback", plan);
        same(await world.live.read(), after, `What there is after rollback ${round + 1}.`);
      }
    },
  ),
  ofRestore(
    "source.rollback.early",
    "`rollback` of a plan that was never carried out changes nothing.",
    async (world) => {
      const { bundle } = await changed(world);
      const before = await world.tree();
      const plan = await world.stage(bundle);
      await world.step("rollback", plan);
      same(await world.tree(), before, "The live data was changed.");
    },
  ),
  ofRestore(
    "source.rollback.half",
    "A commit that was stopped half-way can be taken back, and can be carried to its end.",
    async (world) => {
      const { before, after, bundle } = await changed(world);
      const reason = new DOMException("stop", "AbortError");
      for (const look of [1, 2, 3]) {
        for (const goesOn of [false, true]) {
          const plan = await world.stage(bundle);
          const stopped = await world.step("commit", plan, firesAtLook(look, reason)).catch((error: unknown) => error);
          if (stopped !== undefined) check(stopped === reason, "A commit that was stopped failed with another reason.");
          if (goesOn) {
            await world.step("commit", plan);
            same(await world.live.read(), before, "What there is after a commit that was carried to its end.");
          }
          await world.step("rollback", plan);
          same(await world.live.read(), after, "What there is after a commit that was taken back.");
          if (stopped === undefined) return;
        }
      }
    },
  ),
  ofRestore(
    "source.finish",
    "`finish` leaves what was restored as it is, may be called again, and the next restore works.",
    async (world) => {
      const { before, bundle } = await changed(world);
      const plan = await world.stage(bundle);
      await world.step("commit", plan);
      for (let round = 0; round < 2; round++) await world.step("finish", plan);
      same(await world.live.read(), before, "What there is after `finish`.");
      await world.live.change();
      await restore(world, bundle);
      same(await world.live.read(), before, "What there is after the next restore.");
    },
  ),
  ofRestore(
    "source.omitted",
    "What a snapshot had seen and not captured is left alone by its restore.",
    async (world) => {
      const { bundle } = await changed(world);
      const omitted = bundle.entries.map(({ path }) => ({
        source: world.source.id,
        path,
        reason: "unreadable" as const,
      }));
      const { after, plan } = await stagedWithout(world, omitted);
      same(
        plan.changes.filter(({ path }) => omitted.some((one) => one.path === path)),
        [],
        "The changes that are planned.",
      );
      await world.step("commit", plan);
      check(await keeps(world, after, omitted), "What was omitted was changed.");
      await world.step("finish", plan);
    },
  ),
  ofRestore(
    "source.restore.dispose",
    "A restore may be given up at every stage, its session disposed twice; nothing live was changed.",
    async (world) => {
      const { bundle } = await changed(world);
      const before = await world.tree();
      const session = await world.openRestore(bundle.entries, bundle.omitted);
      await session[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
      await world.stage(bundle);
      same(await world.tree(), before, "A restore that was given up changed the live data.");
      await restore(world, bundle);
    },
  ),
];

async function stagedWithout(world: SourceWorld, omitted: CapturedBundle["omitted"]) {
  const after = await world.capture();
  return { after, plan: await world.stage({ entries: [], omitted }) };
}

/** Every artifact that was omitted and is there is still there as it was. */
async function keeps(world: SourceWorld, after: CapturedBundle, omitted: CapturedBundle["omitted"]): Promise<boolean> {
  const now = new Map((await world.capture()).entries.map(({ path, meta }) => [path, meta.sha256]));
  return after.entries
    .filter(({ path }) => omitted.some((one) => one.path === path))
    .every(({ path, meta }) => now.get(path) === meta.sha256);
}
