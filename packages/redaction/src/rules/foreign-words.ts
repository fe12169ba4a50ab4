import { entropyOf, hasKeyRun, isPlaceholder } from "../randomness.js";
import { isMeantItself, isReference } from "../references.js";
import { type SecretRule, secretPattern } from "../secret-rule.js";

/** A password, as people call it who do not write English; `passw…`, `passord` and the like are told by the English rule. */
const WORDS = [
  ...["contraseña", "contrasena", "mot de passe", "mdp", "senha", "kennwort", "wachtwoord", "lösenord", "salasana"],
  ...[
    "hasło",
    "haslo",
    "heslo",
    "jelszó",
    "parola",
    "şifre",
    "sifre",
    "adgangskode",
    "passord",
    "kata sandi",
    "mật khẩu",
  ],
  ...["пароль", "парола", "лозинка", "κωδικός", "סיסמה", "كلمة المرور", "पासवर्ड", "รหัสผ่าน"],
  ...["密码", "密碼", "口令", "パスワード", "暗証番号", "비밀번호", "암호"],
] as const;

/** A key of an interface, as people call it who do not write English. */
const KEY_WORDS = [
  ...["api-schlüssel", "api schlüssel", "zugangsschlüssel", "zugriffsschlüssel", "geheimschlüssel"],
  ...["clé api", "clé d'api", "clé secrète", "clave api", "clave de api", "clave secreta", "chiave api", "chave api"],
  ...[
    "chave de api",
    "klucz api",
    "api-sleutel",
    "api-nyckel",
    "ключ api",
    "api-ключ",
    "api密钥",
    "api 密钥",
    "apiキー",
  ],
] as const;

/** "… für den Router": between a name and its sign. */
const AMONG = String.raw`(?:[ \t]{1,2}(?:für|von|pour|de|para|per|voor|för|для)[ \t][\w.@/ -]{1,40}?)?`;

const VALUE = String.raw`(?<secret>[^\s"'\`<>\\,;|」』”»]{5,127}[^\s"'\`<>\\,;|:.)}\]*。、」』”»])`;

/** What other languages call a password, with a sign or a word for "is" behind it. */
const FOREIGN_PASSWORD: SecretRule = {
  id: "password_word",
  description: "passwords that are called so in other languages",
  keywords: WORDS,
  patterns: [
    secretPattern(
      String.raw`(?:${WORDS.join("|")})[*\`_]{0,3}${AMONG}(?:[ \t]{0,2}[:：=][*\`_]{0,3}|[ \t](?:es|est|è|é|ist|lautet|är|er|on|to|is)(?=[ \t])|[はは는은이가])[ \t\u3000]{0,4}["'\`«“「『]?${VALUE}`,
      "i",
    ),
  ],
  reach: "keyword",
  generic: true,
  check: (value) =>
    isMeantItself(value) &&
    entropyOf(value) >= 2.2 &&
    /[0-9]/.test(value) &&
    /[^0-9.:/-]/.test(value) &&
    !/[\u0400-\uffff]{3}/.test(value),
  samples: {
    found: [
      "contraseña: «{alnum:11}7»",
      "Mot de passe : «{alnum:11}7»",
      "Пароль: «{alnum:11}7»",
      "密码：«{alnum:11}7»",
      "パスワードは「«{alnum:11}7»」",
      "das Kennwort lautet «{alnum:11}7»",
      "Das Kennwort für den Router ist «{alnum:11}7»",
    ],
    spared: [
      "contraseña: ${PASSWORD_1}",
      "la senha deve ter 8 caracteres",
      "пароль: не менее 8 знаков",
      "密码：<your-password-1>",
    ],
  },
};

const FOREIGN_KEY: SecretRule = {
  id: "key_word",
  description: "keys of interfaces that are called so in other languages",
  keywords: KEY_WORDS,
  patterns: [
    secretPattern(
      String.raw`(?:${KEY_WORDS.join("|")})[*\`_]{0,3}${AMONG}(?:[ \t]{0,2}[:：=][*\`_]{0,3}|[ \t](?:es|est|è|é|ist|lautet|är|to|is)(?=[ \t:])[ \t]?:?|は)[ \t\u3000]{0,4}["'\`«“「『]?${VALUE}`,
      "i",
    ),
  ],
  reach: "keyword",
  generic: true,
  check: (value) => isMeantItself(value) && hasKeyRun(value, 12) && entropyOf(value) >= 2.7,
  samples: {
    found: [
      "API-Schlüssel: «{alnum:31}7»",
      "Der API-Schlüssel für Acme lautet «{alnum:31}7»",
      "La clave de API es «{alnum:31}7»",
      "clé API : «{alnum:31}7»",
    ],
    spared: ["API-Schlüssel: ${ACME_KEY}", "Der API-Schlüssel ist 30 Tage gültig", "clé API : voir le fichier"],
  },
};

const WIFI: SecretRule = {
  id: "wifi_password",
  description: "passwords in the codes by which telephones join a network",
  keywords: ["wifi:"],
  patterns: [secretPattern(String.raw`WIFI:(?:[A-OQ-Z]:[^;\n]{0,64};){0,4}P:(?<secret>(?:[^;\n\\]|\\.){4,128});`, "i")],
  reach: "keyword",
  check: (value) => !isPlaceholder(value) && !isReference(value),
  samples: {
    found: ["WIFI:T:WPA;S:home;P:«{alnum:11}7»;;", "WIFI:S:a b;P:«{alnum:11}7»;T:WPA;;"],
    spared: ["WIFI:T:nopass;S:home;;", "WIFI:T:WPA;S:home;P:<password>;;"],
  },
};

export const WORD_RULES: readonly SecretRule[] = [WIFI, FOREIGN_PASSWORD, FOREIGN_KEY];
