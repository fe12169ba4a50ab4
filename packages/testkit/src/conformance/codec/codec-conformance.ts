import { bindSuite } from "../bind-suite.js";
import type { ConformanceCase } from "../conformance-case.js";
import { check, isPlainJson, same } from "../expectations.js";
import type { PortCase, PortSuite } from "../port-case.js";
import type { CodecFactory, CodecSubject } from "./codec-subject.js";
import { DAMAGE_CASES } from "./damage-cases.js";
import { FRAME_CASES } from "./frame-cases.js";
import { RANGE_CASES } from "./range-cases.js";
import { ROUND_TRIP_CASES } from "./round-trip-cases.js";
import { STREAM_CASES } from "./stream-cases.js";

const SUBJECT: PortCase<CodecSubject> = {
  id: "codec.subject",
  says: "The subject is a codec with an id and a suffix that can end a file name; only one that encrypts has `others`.",
  async run({ codec, deterministic, others }) {
    check(/^[a-z0-9][a-z0-9_-]*$/.test(codec.id), "An id is of [a-z0-9_-].");
    check(/^\.[A-Za-z0-9_-]+$/.test(codec.suffix), "A suffix is a dot and one or more of [A-Za-z0-9_-].");
    same(typeof deterministic, "boolean", "The subject says whether the codec is deterministic.");
    check(others === null || codec.encrypts === true, "`others` are for a codec that encrypts.");
  },
};

const DESCRIBE: PortCase<CodecSubject> = {
  id: "codec.describe",
  says: "`describe` gives plain JSON; of a codec that encrypts also `scheme` and `recipientsFingerprint`.",
  async run({ codec }) {
    const described = codec.describe?.();
    check(isPlainJson(described ?? {}), "What it describes is plain JSON.");
    if (codec.encrypts !== true) return;
    check(typeof described?.["scheme"] === "string", "`scheme` is a string.");
    const prints: unknown = described["recipientsFingerprint"];
    check(Array.isArray(prints) && prints.every((one) => typeof one === "string"), "Fingerprints are strings.");
  },
};

/** All promises of a {@link Codec}. */
export const CODEC_SUITE: PortSuite<CodecSubject> = {
  port: "codec",
  cases: [SUBJECT, DESCRIBE, ...ROUND_TRIP_CASES, ...STREAM_CASES, ...DAMAGE_CASES, ...FRAME_CASES, ...RANGE_CASES],
  capabilities: ({ codec, deterministic, others }) => ({
    deterministic,
    keys: others !== null,
    frames: codec.frames !== undefined,
    ranges: codec.decodeRanges !== undefined,
  }),
};

/** The cases for a codec. */
export function codecConformance(factory: CodecFactory): readonly ConformanceCase[] {
  return bindSuite(CODEC_SUITE, factory);
}
