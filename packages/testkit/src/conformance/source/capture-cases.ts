import { lstat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isArtifactPath, type SourceEntry } from "@keepsake/core";
import { check, failsAs, failureOf, isPlainJson, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { SourceSubject } from "./source-subject.js";
import { type CapturedBundle, SourceWorld } from "./source-world.js";
import { ofLive } from "./of-live.js";

const REASONS = ["absent", "changing", "damaged", "encrypted", "excluded", "link_outside", "special_file"].concat([
  ...["too_large", "unreadable", "vanished"],
]);

/** What a bundle shows, for comparing two. */
const shown = ({ entries, omitted }: CapturedBundle): unknown => [
  entries.map(({ path, meta: { type, sha256, mode, linkTarget } }) => [path, type, sha256, mode, linkTarget]),
  omitted.map(({ path, reason }) => [path, reason]),
];

/** The rules for one entry. */
async function checkEntry(entry: SourceEntry, scratchDir: string): Promise<void> {
  const { path } = entry;
  if (entry.type === "absent") {
    same(typeof entry.required, "boolean", "An absent entry says whether it is required.");
    return;
  }
  check(isArtifactPath(path), `The path ${JSON.stringify(path)} is no artifact path.`);
  if (entry.type === "omitted") {
    check(REASONS.includes(entry.reason), `There is no reason ${JSON.stringify(entry.reason)}.`);
    return;
  }
  check(Number.isFinite(entry.mtimeMs), `The time of ${path} is no number.`);
  if (entry.type === "symlink") {
    check(entry.target !== "", `The link ${path} leads nowhere.`);
    return;
  }
  check(Number.isInteger(entry.mode) && entry.mode >= 0 && entry.mode <= 0o7777, `The mode of ${path} is none.`);
  if (entry.type === "directory") return;
  check(isPlainJson(entry.facts ?? {}), `The facts of ${path} are not plain JSON.`);
  if (!("file" in entry.content)) return;
  const { file } = entry.content;
  check(
    SourceWorld.withinScratch(scratchDir, file) !== undefined,
    `The content of ${path} is not in the scratch folder.`,
  );
  check((await lstat(file)).isFile(), `The content of ${path} is no regular file.`);
}

export const CAPTURE_CASES: readonly PortCase<SourceSubject>[] = [
  {
    id: "source.empty",
    says: "In an empty memory there is nothing, and that is no error: it opens, pins, gives its entries and closes.",
    async run(subject, tools) {
      const world = new SourceWorld(subject, tools);
      const before = await world.tree();
      const { entries } = await world.capture();
      same(entries.length, 0, "How many artifacts there are in an empty memory.");
      same(await world.tree(), before, "Something was left where nothing was.");
    },
  },
  ofLive(
    "source.entries",
    "Entries have artifact paths, each once, sound modes and times, and contents in the scratch folder or as streams.",
    async (world) => {
      await using session = await world.openCapture();
      await session.pin();
      const paths: string[] = [];
      for await (const entry of session.entries()) {
        await checkEntry(entry, session.scratchDir);
        if (entry.type !== "absent") paths.push(entry.path);
        if (entry.type === "file" && "stream" in entry.content) for await (const _chunk of entry.content.stream);
      }
      check(paths.length > 0, "Nothing was captured of live data.");
      same(new Set(paths).size, paths.length, "A path is given twice.");
      check(isPlainJson((await session.describe?.()) ?? {}), "What the session describes is not plain JSON.");
    },
  ),
  ofLive(
    "source.claims",
    "Claims are absolute places, known from the start and the same at the end.",
    async (world) => {
      await using session = await world.openCapture();
      const before = structuredClone(session.claims);
      for (const { path, scope } of session.claims) {
        check(isAbsolute(path), `The claim ${path} is not absolute.`);
        check(["path", "tree"].includes(scope), `A claim is of the path or of the tree, not ${scope}.`);
      }
      await session.pin();
      await world.unpack(session);
      same(session.claims, before, "The claims changed while the session worked.");
    },
  ),
  ofLive(
    "source.watched",
    "Where a session names what it depends on, these are absolute places, and whatever changes the data shows there.",
    async (world) => {
      const look = async (): Promise<readonly unknown[]> => {
        await using session = await world.openCapture();
        const watched = structuredClone(session.watched);
        for (const { path, scope, counts = "all" } of watched ?? []) {
          check(isAbsolute(path), `The watched place ${path} is not absolute.`);
          check(["path", "tree"].includes(scope), `A place is watched as a path or as a tree, not as ${scope}.`);
          check(["all", "written", "nothing"].includes(counts), `What counts is not ${counts}.`);
        }
        return watched === undefined ? [] : [await world.seenAt(watched)];
      };
      const [before] = await look();
      same((await look())[0], before, "The places, or what is there, changed although nothing did.");
      await world.live.change();
      const [after] = await look();
      check(before === undefined || !isDeepStrictEqual(after, before), "A change is not seen at any watched place.");
    },
  ),
  ofLive(
    "source.untouched",
    "A whole capture changes nothing in the live data: no byte, no mode, no time, no file beside it.",
    async (world) => {
      const before = await world.tree();
      for (let round = 0; round < 2; round++) await world.capture();
      same(await world.tree(), before, "The live data was changed.");
    },
  ),
  ofLive("source.same-again", "Two captures of quiet data show the same.", async (world) => {
    same(shown(await world.capture()), shown(await world.capture()), "The second capture differs.");
  }),
  ofLive(
    "source.dispose",
    "A session may be disposed at every stage, twice; nothing is left, and the next one works.",
    async (world) => {
      const before = await world.tree();
      const stages = ["open", "held", "pinned", "released", "begun", "ended"] as const;
      for (const stage of stages) {
        const session = await world.openCapture();
        const reached = stages.indexOf(stage);
        if (reached >= 1) {
          const hold = await session.hold?.();
          if (reached >= 2) await session.pin();
          if (reached >= 3) {
            await hold?.[Symbol.asyncDispose]();
            await hold?.[Symbol.asyncDispose]();
          }
        }
        if (reached === 4) for await (const _entry of session.entries()) break;
        if (reached === 5) await world.unpack(session);
        await session[Symbol.asyncDispose]();
        await session[Symbol.asyncDispose]();
        same(await world.tree(), before, `Something changed by a session that was disposed when it was ${stage}.`);
      }
      check((await world.capture()).entries.length > 0, "Nothing is captured afterwards.");
    },
  ),
  ofLive(
    "source.after-dispose",
    "A session that was disposed gives no entries: asking for them fails.",
    async (world) => {
      const session = await world.openCapture();
      await session.pin();
      await session[Symbol.asyncDispose]();
      const ask = async (): Promise<void> => {
        for await (const _entry of session.entries());
      };
      await failureOf(ask(), "Entries of a session that was disposed.");
    },
  ),
  ofLive(
    "source.abort",
    "A signal that has fired, or fires after the first entry, stops the capture with its reason.",
    async (world) => {
      const before = await world.tree();
      const reason = new DOMException("stop", "AbortError");
      for (const afterFirst of [false, true]) {
        await using session = await world.openCapture();
        await session.pin();
        const controller = new AbortController();
        if (!afterFirst) controller.abort(reason);
        const read = async (): Promise<number> => {
          let count = 0;
          for await (const _entry of session.entries({ signal: controller.signal })) {
            if (++count === 1) controller.abort(reason);
          }
          return count;
        };
        // Of a single entry there may be nothing left to stop.
        const outcome = await read().catch((error: unknown) => error);
        if (afterFirst && outcome === 1) continue;
        check(outcome === reason, "The entries did not stop with the signal's reason.");
      }
      same(await world.tree(), before, "Something was left after an abort.");
    },
  ),
  ofLive(
    "source.abort.open",
    "With a signal that has fired, `open` or the first step after it fails with its reason, and nothing is left.",
    async (world) => {
      const before = await world.tree();
      const reason = new DOMException("stop", "AbortError");
      const signal = AbortSignal.abort(reason);
      const work = async (): Promise<void> => {
        await using session = await world.openCapture(signal);
        await session.pin({ signal });
        for await (const _entry of session.entries({ signal }));
      };
      await failsAs(reason, work(), "The signal had fired.");
      same(await world.tree(), before, "Something was left after an abort.");
    },
  ),
  ofLive(
    "source.fence.quiet",
    "The fence of quiet data is the same however often it is asked: before the pin, after it, and after the entries.",
    async (world) => {
      const fences: (string | undefined)[] = [];
      for (let round = 0; round < 2; round++) {
        await using session = await world.openCapture();
        fences.push(await session.fence?.());
        await session.pin();
        fences.push(await session.fence?.());
        await world.unpack(session);
        fences.push(await session.fence?.());
      }
      for (const session of [fences.slice(0, 3), fences.slice(3)]) {
        same(new Set(session).size, 1, "The fence moved although nothing was changed.");
      }
    },
  ),
  ofLive(
    "source.fence.moves",
    'The fence moves when the data is changed; a pin without a fence is "held".',
    async (world) => {
      await using session = await world.openCapture();
      if (session.fence === undefined) {
        same(await session.pin(), "held", "What a pin without a fence guarantees.");
        return;
      }
      const before = await session.fence();
      await world.live.change();
      check((await session.fence()) !== before, "The data was changed, and the fence did not move.");
    },
  ),
  ofLive(
    "source.pin",
    'After a pin that is "held" the entries show the data of then, whatever is written since; after "fenced" the fence tells.',
    async (world) => {
      const then = await world.live.read();
      const quiet = await world.capture();
      await using session = await world.openCapture();
      const before = await session.fence?.();
      const hold = await session.hold?.();
      const guarantee = await session.pin();
      await hold?.[Symbol.asyncDispose]();
      await world.live.change();
      if (guarantee === "fenced") {
        check((await session.fence?.()) !== before, "The data was changed, and no fence tells.");
        return;
      }
      const pinned = await world.unpack(session);
      if (world.source.openRestore === undefined) {
        same(shown(pinned), shown(quiet), "The entries show another moment than that of the pin.");
        return;
      }
      // What is still open for reading may not be replaced.
      await session[Symbol.asyncDispose]();
      // What comes back counts: a repository may show objects more than it needs.
      await world.step("commit", await world.stage(pinned));
      same(await world.live.read(), then, "The entries show another moment than that of the pin.");
    },
  ),
  ofLive(
    "source.hold",
    "What a hold stopped goes on when it is released; it can be released twice and taken again.",
    async (world) => {
      await using session = await world.openCapture();
      for (let round = 0; round < 2; round++) {
        const hold = await session.hold?.();
        await hold?.[Symbol.asyncDispose]();
        await hold?.[Symbol.asyncDispose]();
      }
      const before = await world.live.read();
      await world.live.change();
      let isSame = true;
      try {
        same(await world.live.read(), before, "");
      } catch {
        isSame = false;
      }
      check(!isSame, "The data could not be changed after the hold was released.");
    },
  ),
];
