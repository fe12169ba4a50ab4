import type {StageRequest, StagedRestore} from "../protocol.js"; export function stageRestore(_r: StageRequest, _s: AbortSignal): StagedRestore { throw new Error("x"); }
