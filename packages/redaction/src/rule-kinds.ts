import { isNoWords, isPlaceholder, looksRandom, mixes } from "./randomness.js";
import { type SecretRule, secretPattern, START } from "./secret-rule.js";

/** A kind of token that tells itself by how it begins. */
interface PrefixedKind {
  readonly id: string;
  readonly description: string;
  /** as they are written; each is a keyword */
  readonly prefixes: readonly string[];
  /** what follows, as the source of a pattern; its characters are to be taken greedily */
  readonly body: string;
  /** what follows, in the language of `expandSample` */
  readonly sample: string;
  /** samples of one's own, beside those that are made of the prefixes and the sample */
  readonly found?: readonly string[];
  readonly spared?: readonly string[];
  /** instead of the usual one: no placeholder, no words, enough entropy */
  readonly check?: (body: string) => boolean;
}

/** False in the middle of a word, where `START` would come to the same after some time: "SK" stands in every task. */
export function mayStart(text: string, place: number): boolean {
  if (!isAlphanumeric(text.charCodeAt(place - 1)) || !isAlphanumeric(text.charCodeAt(place - 2))) return true;
  // A percent-encoded byte, a character code, the end of a colour.
  return text[place - 3] === "%" || text[place - 6] === "\\" || text[place - 1] === "m";
}

function isAlphanumeric(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
}

/** A rule for tokens with a prefix of their own. The patterns are lenient in length: providers lengthen their tokens. */
export function prefixed(kind: PrefixedKind): SecretRule {
  const { id, description, prefixes, body, sample, check = isKeyLike } = kind;
  const prefix = prefixes.map((one) => escaped(one)).join("|");
  const [first = ""] = prefixes;
  return {
    id,
    description,
    keywords: [...new Set(prefixes.map((one) => one.toLowerCase()))],
    patterns: [secretPattern(`${START}(?<secret>(?:${prefix})${body})`)],
    reach: "keyword",
    patternsAt: (text, place) => (mayStart(text, place) && prefixes.some((one) => text.startsWith(one, place)) ? 1 : 0),
    check: (token) => check(token.slice(prefixes.find((one) => token.startsWith(one))?.length)),
    samples: {
      found: [
        ...prefixes.map((one) => `key: «${parted(one)}${sample}»`),
        `{"token":"«${parted(first)}${sample}»"}`,
        String.raw`"a line\n«${parted(first)}${sample}»\n"`,
        `export A_KEY='«${parted(first)}${sample}»'`,
        ...(kind.found ?? []),
      ],
      spared: [
        `a_${parted(first)}${sample}`,
        `${parted(first)}${"x".repeat(48)}`,
        `keys begin with ${parted(first)}, see the manual`,
        `${parted(first)}your-key-goes-here`,
        ...(kind.spared ?? []),
      ],
    },
  };
}

/** A kind of secret that looks like a digest, and is told by the name before it. */
interface NamedKind {
  readonly id: string;
  readonly description: string;
  /** what the name of the value begins with, in lower case; each is a keyword */
  readonly names: readonly string[];
  /** the value, as the source of a pattern; it must not go on with a word character behind it */
  readonly value: string;
  /** the value, in the language of `expandSample` */
  readonly sample: string;
  readonly found?: readonly string[];
  readonly spared?: readonly string[];
}

/** What stands between a name and its value: quotes, brackets and Markdown's marks around a sign. */
const BETWEEN = String.raw`["'\`*\\\]|)\t ]{0,6}(?:=>|:=|={1,3}|:|->|→|\||\bis\b|>|,)["'\`*\\[|(<\t >]{0,6}`;

const SECRET_WORD = String.raw`(?:key|token|secret|pat|auth|pass|credential)\w{0,12}`;

/** A rule for values that are told by a name: the provider's, then a word for a secret, within some forty characters. */
export function named({ id, description, names, value, sample, found = [], spared = [] }: NamedKind): SecretRule {
  const name = names.map((one) => escaped(one)).join("|");
  const [first = ""] = names;
  const upper = first.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
  return {
    id,
    description,
    keywords: names,
    patterns: [
      secretPattern(
        String.raw`(?:${name})[\w ."'[\]-]{0,40}?${SECRET_WORD}${BETWEEN}(?<secret>${value})(?![\w-])`,
        "i",
      ),
    ],
    reach: "keyword",
    check: (candidate) => looksRandom(candidate) && /[0-9]/.test(candidate),
    samples: {
      found: [
        `${upper}_API_KEY=«${sample}»`,
        `"${first}_token": "«${sample}»"`,
        `The ${first} access token: \`«${sample}»\``,
        `config["${first}.secret"] = '«${sample}»'`,
        ...found,
      ],
      spared: [
        sample,
        `${first}: ${sample}`,
        `${first} commit ${sample}`,
        `${upper}_API_KEY=\${${upper}_API_KEY}`,
        `${upper}_API_KEY=${"x".repeat(40)}`,
        ...spared,
      ],
    },
  };
}

const WORDS = /^(?:[A-Z]?[a-z]+[-_.])*[A-Z]?[a-z]+$/;

/** True for what a generator made: enough entropy, and no words with hyphens or in camel case. */
export function isKeyLike(text: string): boolean {
  if (!looksRandom(text)) return false;
  if (isNoWords(text) || (text.match(/[0-9]/g) ?? []).length >= 5) return true;
  return text.length >= 20 && mixes(text, 2) && !WORDS.test(text) && looksRandom(text, 3.3);
}

/** For kinds that are sure by their form: all but placeholders. */
export function isReal(text: string): boolean {
  return !isPlaceholder(text);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

/** A prefix that does not look like one in the source of a sample. */
function parted(prefix: string): string {
  return `${prefix.slice(0, 2)}{}${prefix.slice(2)}`;
}
