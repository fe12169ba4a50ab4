import { CODEC_SUITE } from "./codec/codec-conformance.js";
import { LOCK_SUITE } from "./lock/lock-conformance.js";
import { PLUGIN_SUITE } from "./plugin/plugin-conformance.js";
import { REDACTION_SUITE } from "./redaction/redaction-conformance.js";
import { SOURCE_SUITE } from "./source/source-conformance.js";
import { STATE_SUITE } from "./state/state-conformance.js";
import { STORE_SUITE } from "./store/store-conformance.js";

/** What is told of a case, without anything to run it on. */
export interface CaseDescription {
  readonly port: string;
  readonly id: string;
  readonly says: string;
  /** the declared capability it is about */
  readonly needs?: string;
}

const SUITES = [STORE_SUITE, LOCK_SUITE, CODEC_SUITE, SOURCE_SUITE, STATE_SUITE, REDACTION_SUITE, PLUGIN_SUITE];

/** Every case of every suite, in the order in which they are run. */
export function describeConformance(): readonly CaseDescription[] {
  return SUITES.flatMap(({ port, cases }) =>
    cases.map(({ id, says, needs }) => ({ port, id, says, ...(needs && { needs: needs.capability }) })),
  );
}
