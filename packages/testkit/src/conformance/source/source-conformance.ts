import { isAbsolute } from "node:path";
import { bindSuite } from "../bind-suite.js";
import type { ConformanceCase } from "../conformance-case.js";
import { check } from "../expectations.js";
import type { PortCase, PortSuite } from "../port-case.js";
import { CAPTURE_CASES } from "./capture-cases.js";
import { FILE_CAPTURE_CASES, FILE_RESTORE_CASES } from "./file-cases.js";
import { PART_CASES } from "./part-cases.js";
import { RESTORE_CASES } from "./restore-cases.js";
import type { SourceFactory, SourceSubject } from "./source-subject.js";

const SUBJECT: PortCase<SourceSubject> = {
  id: "source.subject",
  says: "The subject is a source with an id of [a-z0-9_]{1,64}, a kind, and a memory; `live` makes, changes and reads its data.",
  async run({ source, memory, live }) {
    check(/^[a-z0-9_]{1,64}$/.test(source.id), "An id is of [a-z0-9_]{1,64}.");
    check(source.kind !== "", "A source has a kind.");
    check(["own", "remainder"].includes(source.takes ?? "own"), '`takes` is "own" or "remainder".');
    check(["text", "opaque"].includes(source.content ?? "text"), '`content` is "text" or "opaque".');
    check(isAbsolute(memory), "The memory's path is absolute.");
    if (live === null) return;
    const seen: string[] = [];
    for (const step of [() => undefined, live.make, live.change]) {
      await step();
      seen.push(JSON.stringify([await live.read()]));
    }
    check(new Set(seen).size === 3, "`live.read` tells no data, made data and changed data apart.");
  },
};

/** All promises of an {@link ArtifactSource}. */
export const SOURCE_SUITE: PortSuite<SourceSubject> = {
  port: "source",
  cases: [SUBJECT, ...CAPTURE_CASES, ...FILE_CAPTURE_CASES, ...RESTORE_CASES, ...PART_CASES, ...FILE_RESTORE_CASES],
  capabilities: ({ source, live }) => ({
    live: live !== null,
    restore: live !== null && source.openRestore !== undefined,
    part: live !== null && source.openRestore !== undefined && source.restores === "part",
  }),
};

/** The cases for a source. */
export function sourceConformance(factory: SourceFactory): readonly ConformanceCase[] {
  return bindSuite(SOURCE_SUITE, factory);
}
