import { tempDir } from "../temp-dir.js";
import type { CaseOutcome, ConformanceCase, ConformanceOptions } from "./conformance-case.js";
import type { PortCase, PortSuite, SubjectFactory } from "./port-case.js";
import { withinLimit } from "./within-limit.js";

const LIMIT_MS = 60_000;
const LARGE_LIMIT_MS = 1_800_000;
// No multiple of any size of blocks or parts.
const STREAM_BYTES = 64 * 1024 * 1024 + 12_345;
const LARGE_STREAM_BYTES = 5 * 1024 ** 3 + 12_345;

/** The cases of a suite for the subjects of one factory. */
export function bindSuite<Subject extends object>(
  suite: PortSuite<Subject>,
  factory: SubjectFactory<Subject>,
): readonly ConformanceCase[] {
  return suite.cases.map((one, index) => ({
    port: suite.port,
    id: one.id,
    says: one.says,
    ...(one.needs === undefined ? {} : { needs: one.needs.capability }),
    isPrecondition: index === 0,
    run: ({
      large = false,
      limitMs = large ? LARGE_LIMIT_MS : LIMIT_MS,
      streamBytes = large ? LARGE_STREAM_BYTES : STREAM_BYTES,
    }: ConformanceOptions = {}) =>
      withinLimit(
        runCase(suite, one, factory, streamBytes),
        limitMs,
        () => `${one.id} did not end within ${limitMs} ms`,
      ),
  }));
}

async function runCase<Subject extends object>(
  suite: PortSuite<Subject>,
  one: PortCase<Subject>,
  factory: SubjectFactory<Subject>,
  streamBytes: number,
): Promise<CaseOutcome> {
  await using dir = await tempDir();
  await using made = held(await factory.create(dir.path));
  const { subject } = made;
  const tools = { dir: dir.path, streamBytes };
  const { needs } = one;
  if (needs === undefined || declares(suite, subject, needs.capability)) {
    await one.run(subject, tools);
    return "passed";
  }
  await needs.inverse(subject, tools);
  return "inverse";
}

function declares<Subject>(suite: PortSuite<Subject>, subject: Subject, capability: string): boolean {
  const declared = suite.capabilities(subject)[capability];
  if (declared === undefined) throw new TypeError(`The suite ${suite.port} knows no capability ${capability}.`);
  return declared;
}

function held<Subject extends object>(subject: Subject & Partial<AsyncDisposable>) {
  return { subject, [Symbol.asyncDispose]: async () => await subject[Symbol.asyncDispose]?.() };
}
