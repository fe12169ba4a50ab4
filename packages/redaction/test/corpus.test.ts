import { redactDocumentText } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../src/index.js";
import { type CorpusItem, Dice, makeCorpus } from "./support/corpus.js";
import { fieldSecrets } from "./support/field-secrets.js";
import { fieldSurvivors } from "./support/field-survivors.js";

const WHERE = { path: "memory_files/note.md" };
const policy = defaultPolicy();

function isGone({ text, secret }: CorpusItem): boolean {
  const redacted = redactDocumentText(text, policy, WHERE).text;
  // A hole at the right place is one thing, that nothing of it is left another: no sixteen characters in a row, also encoded.
  const inner = secret.replaceAll(/\s/g, "").slice(40, 140);
  const pieces = [secret, inner, ...(secret.length >= 16 ? [secret.slice(0, 16), secret.slice(-16)] : [])];
  return (
    redacted !== text &&
    pieces
      .filter((piece) => piece !== "" && !piece.includes("-----"))
      .flatMap((piece) => [piece, Buffer.from(piece).toString("base64").slice(0, -4)])
      .every((piece) => piece === "" || !redacted.includes(piece))
  );
}

const CORPORA = {
  "of every kind": makeCorpus,
  "as they stand in notes, code, configuration and logs": (seed: number) => {
    const dice = new Dice(seed);
    return { secrets: fieldSecrets(dice, 2), survivors: fieldSurvivors(dice) };
  },
};

describe.each([1, 2, 3].flatMap((seed) => Object.entries(CORPORA).map(([name, make]) => ({ seed, name, make }))))(
  "a corpus of secrets $name, seed $seed",
  ({ seed, name, make }) => {
    const corpus = make(seed);

    it("is large enough to tell", () => {
      expect(corpus.secrets.length).toBeGreaterThanOrEqual(500);
      // The second is one of places more than of kinds.
      const varieties =
        name === "of every kind"
          ? corpus.secrets.map(({ kind }) => kind)
          : corpus.secrets.map(({ kind, layout }) => `${kind} ${layout}`);
      expect(new Set(varieties).size).toBeGreaterThanOrEqual(60);
      expect(corpus.survivors.length).toBeGreaterThanOrEqual(1000);
    });

    it("finds at least 98 of 100, and nothing of them is left", () => {
      const missed = corpus.secrets.filter((item) => !isGone(item));
      const recall = 1 - missed.length / corpus.secrets.length;
      expect(
        recall,
        missed.map(({ kind, layout, text }) => `${kind} (${layout}): ${text}`).join("\n"),
      ).toBeGreaterThanOrEqual(0.98);
    });

    it("is right in at least 98 of 100 of what it finds", () => {
      const touched = corpus.survivors.filter((text) => redactDocumentText(text, policy, WHERE).text !== text);
      const found = corpus.secrets.length;
      expect(found / (found + touched.length), touched.join("\n")).toBeGreaterThanOrEqual(0.98);
    });
  },
);
