import { join } from "node:path";
import type { FrameCodec, Omission, UnsealedManifest } from "@keepsake/core";
import { FramesAhead } from "../bundle/frames-ahead.js";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import type { OperationOptions } from "../memory-snapshotter.js";
import type { AgentProfile } from "../workspace.js";
import { Cut, type CutMode, type PinnedSource } from "./cut.js";
import type { KnownBySource, OpeningOptions } from "./open-sessions.js";
import { PhaseTimes } from "./phase-times.js";
import type { PrivateStaging } from "./private-staging.js";
import { type StagedSource, stageSource } from "./stage-source.js";
import { STATE_FOLDER, stageState } from "./stage-state.js";

/** What of a live memory is to be captured, and how. */
export interface CaptureOrder {
  readonly profile: AgentProfile;
  /** the weakest cut that is accepted */
  readonly allow: CutMode;
  /** for an undo: sources capture byte for byte and tidy nothing */
  readonly exact?: boolean | undefined;
  /** see `StagingOptions` */
  readonly keepsSmall?: boolean;
  readonly phases?: PhaseTimes;
  /** what need not be read again */
  readonly known?: KnownBySource | undefined;
  /** see `OpeningOptions` */
  readonly onOpened?: OpeningOptions["onOpened"];
  /** encodes large files as soon as they are staged */
  readonly encodesAhead?: FrameCodec | undefined;
}

/** A live memory of one moment, in private staging. */
export interface Capture {
  readonly sources: readonly StagedSource[];
  readonly state: StagedArtifactFile[];
  /** state values that are there and could not be captured */
  readonly stateOmitted: readonly Omission[];
  readonly cut: NonNullable<UnsealedManifest["cut"]>;
  /** frames of large files, for as long as the staging is there; the caller disposes of it */
  readonly ahead?: FramesAhead | undefined;
}

/**
 * One attempt at a capture: cut, and stage.
 *
 * @throws KeepsakeError `E_SOURCE_CHANGED`, `E_SOURCE_BUSY`: another attempt may succeed; what sources throw
 */
export async function captureOnce(
  order: CaptureOrder,
  staging: PrivateStaging,
  mode: CutMode,
  startedAtMs: number,
  options: OperationOptions,
): Promise<Capture> {
  const { profile, exact, phases = new PhaseTimes(), known, onOpened, encodesAhead } = order;
  const attempt = () => Cut.attempt(profile, staging, mode, { signal: options.signal, exact, known, onOpened });
  await using cut = await phases.of("cut", attempt);
  const ahead = encodesAhead && new FramesAhead(encodesAhead, join(await staging.folder("ahead"), "frames"));
  try {
    const staged = await phases.of("capture", () => stageAll(order, cut, staging, ahead, options));
    return {
      sources: profile.sources.flatMap((source) => staged.get(source.id) ?? []),
      state: await stageState(cut.state.items, staging, startedAtMs),
      stateOmitted: cut.state.omitted.map(({ key, omitted }) => ({
        source: STATE_FOLDER,
        path: `${key}.json`,
        ...omitted,
      })),
      cut: { consistency: mode, attempts: 1, heldMs: cut.heldMs, startedAtMs },
      ahead,
    };
  } catch (error) {
    await ahead?.[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * What only a fence vouches for is read first: the shorter the reading, the sooner it is proven. What is held is copied
 * meanwhile, and asked for at the end. One after the other, so that a crash at the n-th call is the same crash each time.
 */
async function stageAll(
  { keepsSmall = false, known }: CaptureOrder,
  cut: Cut,
  staging: PrivateStaging,
  ahead: FramesAhead | undefined,
  options: OperationOptions,
): Promise<ReadonlyMap<string, StagedSource>> {
  let bytesDone = 0;
  const onBytes = (bytes: number): void => {
    bytesDone += bytes;
    options.onProgress?.({ phase: "capture", bytesDone });
  };
  const onStaged = ahead && ((file: StagedArtifactFile) => ahead.add(file));
  const staged = new Map<string, StagedSource>();
  const stage = async (pinned: PinnedSource): Promise<void> => {
    const { id } = pinned.source;
    const how = { signal: options.signal, onBytes, onStaged, keepsSmall, known: known?.get(id) };
    staged.set(id, await stageSource(pinned, staging, how));
  };
  const fenced = cut.pinned.filter(({ fence }) => fence !== undefined);
  const still = cut.pinned.filter(({ fence }) => fence === undefined);
  const isHeld = ({ session }: PinnedSource): boolean => session.hold !== undefined;
  for (const pinned of fenced) await stage(pinned);
  await cut.proveUnmoved(options);
  for (const pinned of still.filter((source) => !isHeld(source))) await stage(pinned);
  for (const pinned of still.filter(isHeld)) await stage(pinned);
  return staged;
}
