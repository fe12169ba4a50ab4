import { randomInt } from "node:crypto";

const DIGITS = "0123456789";
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/**
 * A secret for tests, another one each time: the prefix, then `length` digits and letters in turn. No digit comes twice within
 * ten of them. So every part of it of twelve characters tells of it; one in 500 of random hex digits has too few kinds of them
 * for that, and a test would fail once in a while.
 */
export function randomToken(prefix: string, length: number): string {
  const digits = shuffled(DIGITS);
  const letters = shuffled(LETTERS);
  const at = (index: number): string | undefined => {
    const from = index % 2 === 0 ? digits : letters;
    return from[(index >> 1) % from.length];
  };
  return prefix + Array.from({ length }, (_, index) => at(index)).join("");
}

function shuffled(alphabet: string): readonly string[] {
  const all = Array.from(alphabet);
  for (let last = all.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [all[last], all[other]] = [all[other] ?? "", all[last] ?? ""];
  }
  return all;
}
