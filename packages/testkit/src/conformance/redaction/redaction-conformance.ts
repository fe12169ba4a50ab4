import { type Finding, mergeFindings, type RedactionPolicy, redactText } from "@keepsake/core";
import { bindSuite } from "../bind-suite.js";
import { prose } from "../bodies.js";
import type { ConformanceCase } from "../conformance-case.js";
import { check, same } from "../expectations.js";
import type { PortSuite, SubjectFactory } from "../port-case.js";

/** A text that holds one secret; the very characters of the secret, as they stand in it. */
export interface RedactionSample {
  readonly text: string;
  readonly secret: string;
}

/** A redaction policy to be tested. */
export interface RedactionSubject {
  readonly policy: RedactionPolicy;
  /** one or more for each rule; empty where nothing is known of what it finds */
  readonly samples: readonly RedactionSample[];
  /** texts in which nothing is to be found */
  readonly clean: readonly string[];
}

export type RedactionFactory = SubjectFactory<RedactionSubject>;

const WHERE = { path: "memory_files/note.md" };

/** Texts that have nothing in them for anybody, and are hard on careless code. */
const HARMLESS = ["", " ", "\n", "\u0000", "\ud800", "\udfff\ud83d", "\u{1f600}".repeat(100), "=".repeat(5_000)];

/** What every answer must be, whatever the text. */
function checkFindings(policy: RedactionPolicy, text: string, findings: readonly Finding[]): void {
  let end = 0;
  for (const finding of findings) {
    const { start, end: next, rule } = finding;
    check(Number.isInteger(start) && Number.isInteger(next), "A range is of whole numbers.");
    check(start >= 0 && start < next && next <= text.length, `The range ${start} to ${next} is not in the text.`);
    check(start >= end, "The findings are sorted and do not overlap.");
    check(policy.rules.includes(rule), `The rule ${rule} is not one of \`rules\`.`);
    end = next;
  }
}

/** The secret of a sample is found, wholly. */
function findsIn(policy: RedactionPolicy, before: string, sample: RedactionSample, after: string): void {
  const text = before + sample.text + after;
  const start = before.length + sample.text.indexOf(sample.secret);
  const findings = policy.scan(text, WHERE);
  checkFindings(policy, text, findings);
  const isFound = findings.some((one) => one.start <= start && one.end >= start + sample.secret.length);
  check(isFound, "A secret is not found, or not all of it.");
}

/** Where nothing is known of what a policy finds, its answers to these still have to be right ones. */
async function soundOnAnything({ policy, clean }: RedactionSubject): Promise<void> {
  for (const text of [...HARMLESS, ...clean, prose(20_000).toString()])
    checkFindings(policy, text, policy.scan(text, WHERE));
}

const needsSamples = { capability: "samples", inverse: soundOnAnything };

const CASES: PortSuite<RedactionSubject>["cases"] = [
  {
    id: "redaction.subject",
    says: "The subject is a policy with an id and rules, named by [a-z0-9_-], each once.",
    async run({ policy, samples }) {
      const name = /^[a-z0-9_-]+$/;
      check(name.test(policy.id), "An id is of [a-z0-9_-].");
      check(
        policy.rules.every((rule) => name.test(rule)),
        "The id of a rule is of [a-z0-9_-].",
      );
      same(new Set(policy.rules).size, policy.rules.length, "A rule is named twice.");
      check(
        samples.every(({ text, secret }) => secret !== "" && text.includes(secret)),
        "A sample holds its secret.",
      );
    },
  },
  {
    id: "redaction.nothing",
    says: "Nothing is found in an empty text, and no text is too odd to be scanned.",
    async run(subject) {
      same(subject.policy.scan("", WHERE), [], "What is found in an empty text.");
      await soundOnAnything(subject);
    },
  },
  {
    id: "redaction.clean",
    says: "Nothing is found in texts without a secret, and they come back as they are.",
    async run({ policy, clean }) {
      for (const text of [...clean, prose(5_000).toString()]) {
        same(policy.scan(text, WHERE), [], "What is found in a clean text.");
        same(redactText(text, policy, WHERE), { text, matches: {} }, "The text that comes back.");
      }
    },
  },
  {
    id: "redaction.found",
    says: "The whole secret of each sample is found, as a range of UTF-16 code units in the text, whatever stands around it.",
    needs: needsSamples,
    async run({ policy, samples }) {
      for (const sample of samples) {
        for (const [before, after] of [
          ["", ""],
          ["\u{1f600} é\r\n", "\r\n\u{1f600}"],
          ["a line\n\n", "\n\nanother"],
        ] as const) {
          findsIn(policy, before, sample, after);
        }
      }
    },
  },
  {
    id: "redaction.several",
    says: "All secrets of a text are found, the same one twice too, sorted and without overlap.",
    needs: needsSamples,
    async run({ policy, samples }) {
      const text = [...samples, ...samples].map((sample) => sample.text).join("\n\n");
      const findings = policy.scan(text, WHERE);
      checkFindings(policy, text, findings);
      same(mergeFindings(findings), findings, "The findings are not sorted and apart.");
      let from = 0;
      for (const sample of [...samples, ...samples]) {
        const start = text.indexOf(sample.secret, from);
        const end = start + sample.secret.length;
        check(
          findings.some((one) => one.start <= start && one.end >= end),
          "One of several secrets is not found.",
        );
        from = end;
      }
    },
  },
  {
    id: "redaction.gone",
    says: "What was redacted holds no secret any more: nothing of it is found a second time.",
    needs: needsSamples,
    async run({ policy, samples }) {
      for (const sample of samples) {
        const { text } = redactText(sample.text, policy, WHERE);
        check(!text.includes(sample.secret), "The secret is still in the redacted text.");
        same(policy.scan(text, WHERE), [], "What is found in a redacted text.");
      }
    },
  },
  {
    id: "redaction.silent",
    says: "A finding is a range and a rule and nothing else: never the value.",
    needs: needsSamples,
    async run({ policy, samples }) {
      for (const { text, secret } of samples) {
        const findings = policy.scan(text, WHERE);
        for (const one of findings)
          same(Object.keys(one).sort(), ["end", "rule", "start"], "The members of a finding.");
        check(!JSON.stringify(findings).includes(secret), "The secret stands in the findings.");
      }
    },
  },
  {
    id: "redaction.pure",
    says: "The same text gives the same answer, however often and in whatever order texts are scanned.",
    async run({ policy, samples, clean }) {
      const texts = [...samples.map(({ text }) => text), ...clean, prose(3_000).toString()];
      const first = texts.map((text) => policy.scan(text, WHERE));
      for (const order of [texts, texts.toReversed(), texts]) {
        for (const text of order) {
          same(policy.scan(text, WHERE), first[texts.indexOf(text)], "The answer changed.");
        }
      }
    },
  },
  {
    id: "redaction.long",
    says: "A secret in the middle of a text of two million characters is found.",
    needs: needsSamples,
    async run({ policy, samples }) {
      const half = `${prose(1_000_000).toString()}\n\n`;
      for (const sample of samples.slice(0, 3)) findsIn(policy, half, sample, `\n\n${half}`);
    },
  },
];

/** All promises of a {@link RedactionPolicy}. */
export const REDACTION_SUITE: PortSuite<RedactionSubject> = {
  port: "redaction",
  cases: CASES,
  capabilities: ({ samples }) => ({ samples: samples.length > 0 }),
};

/** The cases for a redaction policy. */
export function redactionConformance(factory: RedactionFactory): readonly ConformanceCase[] {
  return bindSuite(REDACTION_SUITE, factory);
}
