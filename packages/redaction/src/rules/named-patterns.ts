import { secretPattern } from "../secret-rule.js";

const SIGNS = charactersOf(/[=:|>(,"'`*\\[\])}{<.\r\n\t→-]/);
export const IN_NAME = charactersOf(/[\w-]/);
export function charactersOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 65_536 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}

/** A word of a name that says what kind of secret is meant, and what may follow it in the name. */
const NAME = String.raw`(?:tokens?\."?(?:access|refresh|bot|user|api)(?:_?token)?|(?:key|token|secret|passw(?:or)?d|passwd|passphrase|passcode|pwd|pass|credentials?|auth|(?<![A-Za-z])pw(?![A-Za-z]))(?:[\w-]{0,24}(?!\w)|[ \t](?:key|token|id)(?!\w)))`;
/** "the key for Acme (prod)": between a name and its sign. */
const AMONG = String.raw`(?:[ \t](?:for|of|to|on|in|from|at|für|von|zu[mr]?|im|beim?|des|der)[ \t][\w.@/ -]{1,40}?)?(?:[ \t](?:\([^()\n]{1,24}\)|\[[^[\]\n]{1,24}\]))?`;
const CLOSE = String.raw`["'\`*\\\]|)\t ]{0,6}`;
const SIGN = String.raw`(?:=>|:=|<-|={1,3}|:[ \t]?[&'A-Za-z][\w<>[\]?.' ]{0,24}[ \t]?=(?=[ \t]?["'\`])|:|->|→|\||\b(?:is|ist|lautet)\b(?:[ \t](?:now|jetzt|nun))?:?|>|,(?=[ \t]?["'\`])|\((?=["'\`]))`;
const OPEN = String.raw`[*[|(\t ]{0,4}`;
const ASSIGNMENT = `${NAME}${AMONG}${CLOSE}${SIGN}${OPEN}`;
/** Where a value without quotes ends: at a blank, with or without punctuation before it, or where the next name begins. */
const VALUE_END = String.raw`(?=[,;.:)}\]*|]{0,4}(?:[\s"'\`<>]|$|\\[nrt"]|\u001b)|[,;&]\s?[\w.% -]{1,30}[=:])`;

/** Of a name and its value; each from the beginning of the name's word for a secret. {@link patternsAt} counts them. */
export const NAMED_PATTERNS = [
  secretPattern(
    String.raw`${ASSIGNMENT}(?<quote>["'\`])(?<secret>(?:(?!\k<quote>)[^\\\s]|\\[^\s]){6,512}?)\k<quote>`,
    "i",
  ),
  secretPattern(
    String.raw`${ASSIGNMENT}\\{0,3}["'\`]?(?<secret>[^\s"'\`<>\\,;[{(][^\s"'\`<>\\]{4,2047}?[^\s"'\`<>\\,;:.)}\]*|])${VALUE_END}`,
    "i",
  ),
  // Name and value as two members: {"name": "API_KEY", "value": "…"}, <add key="…" value="…"/>, YAML of Kubernetes.
  secretPattern(
    String.raw`${NAME}["'\\]{0,4}[ \t]?,?\s{0,24}(?:[\w-]{1,24}\.)?["'\\]{0,4}value["'\\]{0,4}\s{0,2}[:=]\s{0,2}["'\\]{0,4}(?<secret>[^\s"'\`<>\\]{5,511}[^\s"'\`<>\\),;}\]])`,
    "i",
  ),
  secretPattern(
    String.raw`${NAME}[ \t]{1,2}(?<secret>[\w+/-]{20,512}={0,2})(?=[,;.:!?)"'\`}\]]{0,3}(?:\s|$|\\[nrt"]))`,
    "i",
  ),
  // The same in quotes: #define API_KEY "…", gh secret set API_KEY --body "…", the password 'hunter2'.
  secretPattern(
    String.raw`${NAME}[ \t]{1,2}(?:--?[a-z]{1,12}[ \t=])?(?<quote>["'\`])(?<secret>(?:(?!\k<quote>)[^\\\s]){6,512}?)\k<quote>`,
    "i",
  ),
  secretPattern(
    String.raw`(?:passw(?:or[dt]|d)|pwd|(?<![A-Za-z])pw)[ \t]{1,2}(?<secret>[^\s"'\`<>\\]{6,128}?)(?=[,;.:!?)"'\`}\]]{0,3}(?:\s|$))`,
    "i",
  ),
  // YAML with a tag, an anchor or a block.
  secretPattern(
    String.raw`${NAME}["']?:[ \t]{1,2}(?:[|>][-+\d]{0,2}[ \t]{0,4}\r?\n[ \t]{1,16}|!!?\w{1,12}[ \t]|&\w{1,24}[ \t])["']?(?<secret>[^\s"'\`<>\\]{5,4095}[^\s"'\`<>\\,;])`,
    "i",
  ),
  // A heading, and the value alone in the next line, or in a block of code.
  secretPattern(
    String.raw`${NAME}${AMONG}[*\`_]{0,3}:?[*\`_]{0,3}[ \t]{0,2}\r?\n(?:[ \t]{0,8}\r?\n){0,2}(?:[ \t]{0,8}\`\`\`\w{0,12}\r?\n)?[ \t>*-]{0,8}\`?(?<secret>[^\s"'\`<>\\|]{8,512})\`?[ \t]{0,2}(?=\r?\n|$)`,
    "i",
  ),
  // A variable of Terraform.
  secretPattern(
    String.raw`${NAME}"\s{0,2}\{\s{0,24}(?:[^\n{}"]{0,40}(?:"[^"\n]{0,100}")?[ \t]{0,4}\n\s{0,24}){0,4}?default[ \t]{0,12}=[ \t]{0,2}"(?<secret>[^\s"]{6,512})"`,
    "i",
  ),
];

/** What may stand between the name and its sign: "the key for Acme is …", "API token id: …", in German too. */
const JOINERS = new Set(
  "for of to on in from at is key token id für von zu zum zur im bei beim des der ist lautet".split(" "),
);
const LONGEST_JOINER = 7;
/** A value without a sign is no shorter, in characters; a word of letters alone is one when it is longer than any word. */
const SHORTEST = 6;
const LONGEST_WORD = 20;
/** Names and words are looked at so far. */
const LOOK = 64;
/** A heading ends within so many characters. */
const HEADING = 84;

const ASSIGNED = 0b11;
const MEMBERS = 0b100;
const BLANK = 0b111000;
const YAML = 0b1000000;
const HEADED = 0b10000000;
const VARIABLE = 0b100000000;

/**
 * Which of the patterns may match a name that begins at `place`, a bit for each. A name is followed by a sign, by a word that
 * leads to one, or by a blank and what is no word; most keywords in prose are followed by a blank and a word.
 */
export function patternsAt(text: string, place: number): number {
  let at = place + 1;
  const end = place + LOOK;
  while (at < end && IN_NAME[text.charCodeAt(at)] === 1) at++;
  const next = text.charCodeAt(at);
  if (next === 0x20) return afterBlank(text, at);
  if (SIGNS[next] !== 1) return 0;
  const isQuote = next === 0x22 || next === 0x27 || next === 0x5c;
  return (
    ASSIGNED |
    (isQuote || next === 0x2c || next === 0x0a || next === 0x0d ? membersAt(text, at) : 0) |
    (next === 0x09 ? BLANK : 0) |
    (isQuote || next === 0x3a ? YAML : 0) |
    headedAt(text, at) |
    (next === 0x22 && text.slice(at, at + 5).includes("{") ? VARIABLE : 0)
  );
}

function afterBlank(text: string, blank: number): number {
  let at = blank;
  while (text.charCodeAt(at) === 0x20) at++;
  if (SIGNS[text.charCodeAt(at)] === 1) return ASSIGNED | BLANK | membersAt(text, at) | headedAt(text, at);
  const from = at;
  const end = from + LOOK;
  let isWord = true;
  for (let code = text.charCodeAt(at); code > 0x20 && at < end; code = text.charCodeAt(++at))
    if (isWord && (code < 0x61 || code > 0x7a) && (code < 0x41 || code > 0x5a)) isWord = false;
  if (at - from <= LONGEST_JOINER && JOINERS.has(text.slice(from, at).toLowerCase().replace(":", "")))
    return ASSIGNED | BLANK | headedAt(text, at);
  return at - from >= (isWord ? LONGEST_WORD : SHORTEST) ? ASSIGNED | BLANK : 0;
}

function membersAt(text: string, at: number): number {
  return /value/i.test(text.slice(at, at + LOOK)) ? MEMBERS : 0;
}

function headedAt(text: string, at: number): number {
  return text.slice(at, at + HEADING).includes("\n") ? HEADED : 0;
}
