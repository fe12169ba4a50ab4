import type { RedactionPolicy } from "@keepsake/core";
import { isIban, isLuhn } from "./checksums.js";
import { rulePolicy } from "./rule-policy.js";
import { type SecretRule, secretPattern } from "./secret-rule.js";

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));
const digitsOf = (text: string) => text.replaceAll(/\D/g, "");

/** What tells of people. Not part of the default: notes are full of it, and mostly on purpose. */
export const PERSONAL_RULES: readonly SecretRule[] = [
  {
    id: "email",
    description: "e-mail addresses (RFC 5322, without quotes and comments)",
    keywords: ["@"],
    patterns: [
      secretPattern(
        String.raw`(?<![\w.+%-])(?<secret>[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])`,
      ),
    ],
    reach: 80,
    // Not an address of anybody: how git reaches its hosts.
    check: (address, { text, end }) => !(address.startsWith("git@") && text.charAt(end) === ":"),
    samples: {
      found: ["write to «ana.b+x@mail.example.org».", "<«a@b.co»>", '{"from":"«ana@example.org»"}'],
      spared: ["git@github.com:acme/a.git", "@ana said", "a @ b.example", "user@localhost"],
    },
  },
  {
    id: "phone",
    description: "telephone numbers: international ones, and those that are called so",
    keywords: ["+", "tel", "phone", "mobile", "cell", "fax", "whatsapp"],
    patterns: [
      secretPattern(String.raw`(?<![\w+.-])(?<secret>\+[1-9]\d{0,2}(?:[ ().\/-]{0,2}\d){6,12})(?![\w-])`),
      secretPattern(
        String.raw`(?:tel|phone|mobile|cell|fax|whatsapp)[\w .#"'-]{0,12}[:=][ "']{0,3}(?<secret>\(?\d(?:[ ().\/-]{0,2}\d){5,13})(?![\w-])`,
        "i",
      ),
    ],
    reach: "keyword",
    samples: {
      found: [
        "call «+49 30 901820-14»",
        "phone: «(030) 9018 2014»",
        '"mobile": "«0170 1234567»"',
        "«+1 (415) 555-0132»",
      ],
      spared: ["1 + 2 = 3", "a+49 30", "telemetry: 12", "+12%"],
    },
  },
  {
    id: "iban",
    description: "account numbers with right check digits (ISO 13616)",
    keywords: DIGITS,
    patterns: [
      secretPattern(
        String.raw`(?<![A-Za-z0-9])(?<secret>[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)(?![A-Za-z0-9])`,
      ),
    ],
    check: (iban) => {
      const compact = iban.replaceAll(" ", "");
      return compact.length >= 15 && compact.length <= 34 && isIban(compact);
    },
    samples: {
      found: ["IBAN «DE89 3704 0044 0532 0130 00»", "«GB82WEST12345698765432»", '"iban":"«NL91ABNA0417164300»"'],
      spared: ["DE89 3704 0044 0532 0130 01", "AB12 3456", "commit {hex:40}"],
    },
  },
  {
    id: "payment_card",
    description: "card numbers with a right check digit (ISO/IEC 7812-1)",
    keywords: DIGITS,
    patterns: [
      secretPattern(
        String.raw`(?<![\w.-])(?<secret>(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|6\d{3}|3[0689]\d{2})(?:[ -]?\d{4}){2}[ -]?\d{2,7})(?![\w-])`,
      ),
      secretPattern(String.raw`(?<![\w.-])(?<secret>3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?![\w-])`),
    ],
    check: (card) => isLuhn(digitsOf(card)) && new Set(digitsOf(card)).size > 2,
    samples: {
      found: ["card «4012 8888 8888 1881»", "«5105-1051-0510-5100»", "«378282246310005»"],
      spared: ["4111 1111 1111 1112", "order 1234567890123456", "{hex:40}"],
    },
  },
];

/** The policy "personal": e-mail addresses, telephone, account and card numbers. */
export function personalPolicy(): RedactionPolicy {
  return rulePolicy("personal", PERSONAL_RULES);
}
