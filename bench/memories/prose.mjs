/** Text that compresses as notes do: few words often, many seldom. */

const SYLLABLES = (
  "ka lo mi ne tar ver sin dol am pe qui ro sta ter un vo wen xi ya zen bri cho dra fle gri hal jo kle mor " +
  "nal op pra rin sol tho ul vik wor est ing ion ment"
).split(" ");
const COMMON = (
  "the of and to in that is was for it with as on be at by this have from or had not are but which one you " +
  "were all we when there can more if so no out up into than them only time about user asked prefers project"
).split(" ");
const RARE_WORDS = 6_000;

export class Prose {
  #random;
  #rare;

  constructor(random) {
    this.#random = random;
    this.#rare = Array.from({ length: RARE_WORDS }, () =>
      Array.from({ length: 1 + random.below(4) }, () => random.pick(SYLLABLES)).join(""),
    );
  }

  #word() {
    const random = this.#random;
    if (random.next() < 0.45) return random.pick(COMMON);
    // The square makes the first of them much more frequent than the last.
    return this.#rare[Math.floor(random.next() ** 2 * RARE_WORDS)];
  }

  sentence() {
    const words = Array.from({ length: 6 + this.#random.below(14) }, () => this.#word());
    const [first] = words;
    return `${first[0].toUpperCase()}${words.join(" ").slice(1)}.`;
  }

  /** Paragraphs of about so many characters. */
  text(characters) {
    const parts = [];
    for (let length = 0; length < characters; ) {
      const sentence = this.sentence();
      length += sentence.length + 1;
      parts.push(sentence, this.#random.next() < 0.12 ? "\n\n" : " ");
    }
    return parts.join("");
  }
}
