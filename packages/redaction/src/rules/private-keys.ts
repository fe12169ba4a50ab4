import { looksRandom } from "../randomness.js";
import { isReal, prefixed } from "../rule-kinds.js";
import { ASSIGNED, type SecretRule, secretPattern, START } from "../secret-rule.js";

/** A block from its first to its last line, or, where the last is missing, as far as its lines go. */
function pemRule(
  id: string,
  description: string,
  label: string,
  labels: readonly string[],
  options: { readonly dashes?: string } = {},
): SecretRule {
  const { dashes = "-----" } = options;
  const space = dashes.endsWith(" ") ? " " : "";
  const close = space === "" ? dashes : ` ${dashes.trimEnd()}`;
  const begin = `${dashes}BEGIN ${label}${close}`;
  const body = `{base64:64}\n{base64:64}\n{base64:43}=`;
  return {
    id,
    description,
    keywords: [`${dashes.toLowerCase()}begin `],
    patterns: [
      secretPattern(`(?<secret>${begin}(?:(?!-----BEGIN)[\\s\\S]){1,65536}?${dashes}END ${label}${close})`),
      secretPattern(
        String.raw`(?<secret>${begin}(?:(?:\s|\\[rn]|[A-Z][A-Za-z-]{3,12}: [^\n]{1,80}){0,8}[A-Za-z0-9+/=]{40,}){1,1000})`,
      ),
    ],
    reach: "keyword",
    // What is no key but a picture of one ("...") has no line of it.
    check: (block) => (block.match(/[A-Za-z0-9+/=]{32,}/g) ?? []).some((line) => looksRandom(line, 3)),
    samples: {
      found: labels.flatMap((one) => {
        const [first, last] = [`${dashes}BEG{}IN ${one}${close}`, `${dashes}E{}ND ${one}${close}`];
        return [
          `«${first}\n${body}\n${last}»`,
          `{"key": "«${first}\\n${body.replaceAll("\n", "\\n")}\\n${last}»\\n"}`,
          `key: |\n  «${first}\r\n  ${body.replaceAll("\n", "\r\n  ")}\r\n  ${last}»`,
          `cut off: «${first}\n${body.replace("=", "A")}»`,
        ];
      }),
      spared: [
        ...labels.map((one) => `${dashes}BEG{}IN ${one}${close}\n...\n${dashes}E{}ND ${one}${close}`),
        `${dashes}BEG{}IN PUBLIC KEY${close}\n${body}\n${dashes}E{}ND PUBLIC KEY${close}`,
        `a file that begins with ${dashes}BEG{}IN ${labels[0] ?? ""}${close}`,
      ],
    },
  };
}

const PUTTY_KEY: SecretRule = {
  id: "putty_private_key",
  description: "the private part of PuTTY keys, versions 2 and 3",
  keywords: ["private-lines:"],
  patterns: [
    secretPattern(
      String.raw`Private-Lines: ?\d{1,4}(?:\s|\\[rn]){1,4}(?<secret>(?:[A-Za-z0-9+/]{64}(?:\s|\\[rn]){1,4}){0,400}[A-Za-z0-9+/=]{4,64})`,
    ),
  ],
  reach: "keyword",
  check: (lines) => looksRandom(lines, 3),
  samples: {
    found: [
      "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPrivate-Lines: 2\n«{base64:64}\n{base64:43}=»",
      "Private-Lines: 1\n«{base64:47}=»\nPrivate-MAC: {hex:40}",
    ],
    spared: ["Public-Lines: 2\n{base64:64}\n{base64:43}=", "Private-Lines: 0"],
  },
};

const JWK: SecretRule = {
  id: "jwk_private_key",
  description: "private members of JSON Web Keys (RFC 7517)",
  keywords: ['"d"', '"p"', '"q"', '"dp"', '"dq"', '"qi"', '"k"'],
  patterns: [secretPattern(String.raw`"(?:d|p|q|dp|dq|qi|k)"\s{0,8}:\s{0,8}"(?<secret>[\w-]{22,})"`)],
  reach: "keyword",
  check: (value, { text, from, end }) =>
    looksRandom(value, 3) && text.slice(Math.max(0, from - 4000), end + 4000).includes('"kty"'),
  samples: {
    found: [
      '{"kty":"EC","crv":"P-256","x":"{url:43}","y":"{url:43}","d":"«{url:43}»"}',
      '{"kty": "oct", "k": "«{url:43}»", "alg": "HS256"}',
      '{"d": "«{url:43}»", "kty": "OKP"}',
    ],
    spared: ['{"d":"{url:43}"}', '{"kty":"EC","x":"{url:43}","y":"{url:43}"}', '{"kty":"oct","k":"short"}'],
  },
};

const WIREGUARD_KEY: SecretRule = {
  id: "wireguard_key",
  description: "WireGuard private and preshared keys",
  keywords: ["privatekey", "presharedkey"],
  patterns: [secretPattern(String.raw`(?:PrivateKey|PresharedKey)${ASSIGNED}(?<secret>[A-Za-z0-9+/]{43}=)`, "i")],
  reach: "keyword",
  check: (key) => looksRandom(key, 3.5),
  samples: {
    found: ["[Interface]\nPrivateKey = «{base64:43}=»\n", "PresharedKey=«{base64:43}=»"],
    spared: ["PublicKey = {base64:43}=", "PrivateKey = ${KEY}"],
  },
};

const MINISIGN_KEY: SecretRule = {
  id: "minisign_key",
  description: "minisign and signify secret keys",
  keywords: ["secret key"],
  patterns: [
    secretPattern(
      String.raw`untrusted comment:[^\n\\]{0,80}secret key[^\n\\]{0,40}(?:\r?\n|\\n)(?<secret>R[A-Za-z0-9+/=]{60,})`,
    ),
  ],
  reach: 160,
  check: (key) => looksRandom(key, 3.5),
  samples: {
    found: [
      "untrusted comment: minisign encrypted secret key\n«RWRT{}Y0Iy{base64:200}=»",
      "untrusted comment: signify secret key\n«RWRC{}SwAA{base64:128}»",
    ],
    spared: ["untrusted comment: minisign public key\nRWQ{base64:53}", "a secret key is kept"],
  },
};

const WALLET_KEY: SecretRule = {
  id: "wallet_key",
  description: "private keys of wallets: extended keys, WIF, Nostr",
  keywords: ["xprv", "yprv", "zprv", "tprv", "nsec1"],
  patterns: [
    secretPattern(String.raw`(?<!\w)(?<secret>[xyzt]prv[1-9A-HJ-NP-Za-km-z]{100,112})(?!\w)`),
    secretPattern(String.raw`(?<!\w)(?<secret>nsec1[02-9ac-hj-np-z]{58})(?!\w)`),
  ],
  reach: "keyword",
  check: (key) => looksRandom(key, 3.5),
  samples: {
    found: [
      "«xp{}rv9s21ZrQH143K3{bech:95}»".replace("{bech:95}", "{hex:0}" + "aB3cD4eF5gH6".repeat(8)),
      "nostr: «ns{}ec1{bech:58}»",
    ],
    spared: ["xpub6{alnum:100}", "npub1{bech:58}", "xprv"],
  },
};

const SEED_PHRASE: SecretRule = {
  id: "seed_phrase",
  description: "recovery phrases of wallets (BIP 39), by their name",
  keywords: [
    "mnemonic",
    "seed phrase",
    "seed_phrase",
    "seedphrase",
    "recovery phrase",
    "recovery_phrase",
    "seed words",
  ],
  patterns: [
    secretPattern(
      String.raw`(?:mnemonic(?:[ _]phrase)?|seed[ _]?phrase|recovery[ _]phrase|seed words)["'\\]{0,3}\s{0,2}[:=]\s{0,2}["'\\]{0,3}(?<secret>(?:[a-z]{3,8} ){11}[a-z]{3,8}(?: [a-z]{3,8} [a-z]{3,8} [a-z]{3,8}){0,4})(?![a-z])`,
      "i",
    ),
  ],
  reach: "keyword",
  samples: {
    found: [
      "mnemonic: «abandon ability able about above absent absorb abstract absurd abuse access accident»",
      '{"seed_phrase":"«legal winner thank year wave sausage worth useful legal winner thank yellow»"}',
    ],
    spared: ["a seed phrase has twelve words", "mnemonic: every good boy does fine", "seed words: 12"],
  },
};

/** How keys of RSA, of elliptic curves and of Edwards curves begin in PKCS#1, SEC 1 and PKCS#8 (RFC 8017, 5915, 5958). */
const DER_START = [
  "MII[B-N][A-Za-z0-9+/]{2}IBA(?:DANBgkqhkiG9w0BAQEFAASC|AK(?:C[A-Z]|Bg))",
  "MI[A-Za-z0-9]{2}AgEAM[BC][AM]GByqGSM49AgEG",
  "M(?:HcCAQEE|HQCAQEE|IGkAgEBBD|IHcAgEBBE)",
  "MC4CAQAwBQYDK2V[wu]BCIE|MEcCAQAwBQYDK2VxBDsE",
].join("|");
/** A line break within base64: what follows is long, ends as base64 does, or is a line of nothing else. */
const DER_BREAK = String.raw`\r?\n[ \t]{0,16}(?=[A-Za-z0-9+/]{16,128}={0,2}(?![\w+/=-])|[A-Za-z0-9+/]{1,15}(?:={1,2}(?!=)|(?![\w+/=-]|[ \t]{1,4}[^\s])))`;

const DER_KEY: SecretRule = {
  id: "der_private_key",
  description: "private keys in base64 without the lines of PEM around them",
  keywords: ["mii", "mig", "mih", "mhccaqee", "mhqcaqee", "mc4caqawbqydk2v", "mecaaqawbqydk2vx"],
  patterns: [
    secretPattern(String.raw`${START}(?<secret>(?:${DER_START})(?:[A-Za-z0-9+/]|\\[nr]|${DER_BREAK}){30,}={0,2})`),
  ],
  reach: "keyword",
  patternsAt: (text, place) => (text.charCodeAt(place) === 0x4d ? 1 : 0),
  samples: {
    found: [
      'private_key = "«MI{}IEvgIBADANBgkqhkiG9w0BAQEFAASCBKgw{base64:300}==»"',
      "«MI{}IEpAIBAAKCAQEA{base64:48}\n{base64:64}\n{base64:64}\n{base64:20}=»",
      "key: |\n  «MI{}IEvgIBADANBgkqhkiG9w0BAQEFAASCBKgw{base64:27}\n  {base64:64}\n  {base64:43}=»\nnext: 1",
      "«MI{}GHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg{base64:130}»",
      "ed25519: «MC4CAQAwBQYDK2VwBCIE{}I{base64:42}»",
    ],
    spared: [
      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA{base64:300}",
      "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa{base64:300}",
      "MIIEpAIBAAKCAQEA…",
      "migration of miifiles",
    ],
  },
};

const PEM = String.raw`(?:RSA |EC |DSA |ENCRYPTED |ANY |ED25519 |X25519 )?PRIVATE KEY`;

/** Private keys of every kind. */
export const PRIVATE_KEY_RULES: readonly SecretRule[] = [
  pemRule("private_key", "private keys in PEM: PKCS#1, PKCS#8, encrypted, EC, DSA", PEM, [
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PRIVATE KEY",
  ]),
  pemRule("openssh_private_key", "OpenSSH private keys", "OPENSSH PRIVATE KEY", ["OPENSSH PRIVATE KEY"]),
  pemRule("pgp_private_key", "OpenPGP private keys", "PGP (?:PRIVATE|SECRET) KEY BLOCK", ["PGP PRIVATE KEY BLOCK"]),
  pemRule(
    "ssh2_private_key",
    "private keys of SSH.com",
    "SSH2 (?:ENCRYPTED )?PRIVATE KEY",
    ["SSH2 ENCRYPTED PRIVATE KEY"],
    { dashes: "---- " },
  ),
  PUTTY_KEY,
  DER_KEY,
  prefixed({
    id: "age_secret_key",
    description: "age identities: X25519, post-quantum, and those of plugins",
    prefixes: ["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"],
    body: "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{50,}",
    sample: "QPZRY{heX:0}9X8GF2TVDW0S3JN54KHCE6MUA7L9X8GF2TVDW0S3JN54KHCE6MUA7LQ",
    check: isReal,
  }),
  prefixed({
    id: "age_plugin_identity",
    description: "age plugin identities",
    prefixes: ["AGE-PLUGIN-"],
    body: "[A-Z0-9]{2,20}-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{30,}",
    sample: "YUBIKEY-1{heX:0}QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L9X8GF",
    check: isReal,
  }),
  JWK,
  WIREGUARD_KEY,
  MINISIGN_KEY,
  WALLET_KEY,
  SEED_PHRASE,
];
