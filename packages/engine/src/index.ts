export { createSnapshotter, type EngineParts } from "./create-snapshotter.js";
export type * from "./memory-snapshotter.js";
export type { AgentProfile, EncodeRequest, RedactionPolicies, Workspace } from "./workspace.js";
