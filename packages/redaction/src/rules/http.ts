import { isJsonObject } from "@keepsake/core";
import { isPlaceholder, looksRandom } from "../randomness.js";
import { isKeyLike } from "../rule-kinds.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

/** RFC 7519, and RFC 7516 with five parts. Its first part has to be the header it would be. */
const JSON_WEB_TOKEN: SecretRule = {
  id: "jwt",
  description: "JSON Web Tokens",
  keywords: ["eyj"],
  patterns: [secretPattern(String.raw`${START}(?<secret>eyJ[\w-]{8,}\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]+)?)`)],
  reach: "keyword",
  check: (token) => hasJoseHeader(token),
  samples: {
    found: [
      'token: «{b64url:"alg":"HS256","typ":"JWT"}.{b64url:"sub":"1"}.{url:43}»',
      '«{b64url:"alg":"none"}.{b64url:"sub":"1"}.»',
      '«{b64url:"alg":"RSA-OAEP","enc":"A256GCM"}.{url:342}.{url:16}.{url:90}.{url:22}»',
    ],
    spared: [
      "eyJ{}{url:40}.{url:40}.{url:40}",
      '{b64url:"sub":"1"}.{b64url:"sub":"1"}.{url:43}',
      '{b64url:"alg":"HS256"}',
      "eyJ{}afjallajokull.is.cold",
    ],
  },
};

const BEARER_TOKEN: SecretRule = {
  id: "bearer_token",
  description: "tokens in Authorization headers (RFC 6750)",
  keywords: ["bearer"],
  patterns: [secretPattern(String.raw`${START}bearer(?:[ \t]{1,4}|%20|\+)(?<secret>[\w.~+/-]{20,}={0,2})`, "i")],
  reach: "keyword",
  check: (token) => looksRandom(token) && /[0-9]/.test(token) && /[A-Za-z]/.test(token),
  samples: {
    found: [
      "Authorization: Bearer «{url:40}7a»",
      "authorization: bearer «{hex:32}a1»",
      "-H 'Authorization: Bearer  «{base64:43}1a=»'",
      String.raw`{"headers":"a: b\r\nAuthorization: Bearer «{url:40}7a»\r\n"}`,
      "Bearer «{hex:8}-{hex:4}-4a{hex:2}-8{hex:3}-{hex:12}»",
    ],
    spared: [
      "Bearer token-based-authentication-is-common",
      "the bearer of responsibilities-and-good-news-2024",
      "Authorization: Bearer $TOKEN_FROM_ENVIRONMENT_1",
      "Authorization: Bearer your-token-goes-here-12345",
      "Authorization: Bearer <token>",
      "a forbearer {url:40}7a",
    ],
  },
};

const BASIC_AUTH: SecretRule = {
  id: "basic_auth",
  description: "user and password in Authorization headers (RFC 7617)",
  keywords: ["basic"],
  patterns: [secretPattern(String.raw`${START}basic(?:[ \t]{1,4}|%20|\+)(?<secret>[A-Za-z0-9+/_-]{8,}={0,2})`, "i")],
  reach: "keyword",
  check: (credentials) => isUserAndPassword(Buffer.from(credentials, "base64").toString("utf8")),
  samples: {
    found: [
      "Authorization: Basic «dXNl{}cjpaNTVweFE3Ykw5»",
      "curl -H 'authorization: basic «YWRt{}aW46aHVudGVyMg==»'",
      '{"Proxy-Authorization": "Basic «YTpi{}Y2QxMjM0»"}',
    ],
    spared: [
      "basic understanding of the matter",
      "Basic {alnum:7}",
      "Authorization: Basic <credentials>",
      "BASIC PROGRAMMING",
    ],
  },
};

const AUTHORIZATION: SecretRule = {
  id: "authorization_header",
  description: "Authorization headers of other schemes (Token, ApiKey, SSWS, GenieKey) or of none",
  keywords: ["authorization"],
  patterns: [
    secretPattern(
      String.raw`authorization["'\\]{0,2}[ \t]*[:=,][ \t]*["'\\]{0,2}(?:(?:token|api-?key|key|ssws|geniekey|apitoken|secret|bot|oauth|splunk|klaviyo-api-key)[ \t]+)?(?:token=["']?)?(?<secret>[\w.~+/:-]{16,}={0,2})`,
      "i",
    ),
  ],
  reach: "keyword",
  check: (value) => isKeyLike(value) && !value.includes("://"),
  samples: {
    found: [
      "Authorization: Token «{hex:40}»",
      "'Authorization': '«{alnum:39}7»'",
      "authorization: ApiKey «{base64:55}7==»",
    ],
    spared: [
      "Authorization: Token <token>",
      "authorization: required-for-all-endpoints",
      "Authorization: AWS4-HMAC-SHA256 Credential=a",
    ],
  },
};

const SESSION_COOKIE: SecretRule = {
  id: "session_cookie",
  description: "cookies that stand for a signed-in user",
  keywords: [
    "sessionid",
    "session_id=",
    "phpsessid",
    "jsessionid",
    "connect.sid",
    "_session",
    "session=",
    "session-token",
    "li_at",
    "_gh_sess",
    "user_session",
    "remember_token",
    "sid=",
    "auth_token=",
  ],
  patterns: [
    // As browsers and their tools export them.
    secretPattern(
      String.raw`(?:sessionid|session_id|phpsessid|jsessionid|connect\.sid|_session|session-token|li_at|_gh_sess|user_session|remember_token)["'\\]{0,3}(?:,?\s{1,16}["'\\]{0,3}(?:[\w-]{1,24}\.)?["'\\]{0,3}value["'\\]{0,3}:\s?["'\\]{1,3}|\t)(?<secret>[\w.%+/~:-]{20,}={0,2})`,
      "i",
    ),
    secretPattern(
      String.raw`(?:sessionid|session_id|phpsessid|jsessionid|connect\.sid|_session|session|session-token|li_at|_gh_sess|user_session|remember_token|sid|auth_token)=(?<secret>[\w.%+/~:-]{20,}={0,2})`,
      "i",
    ),
  ],
  reach: "keyword",
  check: (value, { text, from }) =>
    isKeyLike(value) &&
    (text[text.indexOf(value, from) - 1] !== "=" ||
      /cookie|\s-b\s/i.test(text.slice(Math.max(0, text.lastIndexOf("\n", from), from - 300), from))),
  samples: {
    found: [
      "Cookie: theme=dark; sessionid=«{lower:31}7»; lang=en",
      "Set-Cookie: connect.sid=«s%3A{url:32}.{alnum:43}»; Path=/",
      "document.cookie = 'PHPSESSID=«{lower:25}7»'",
      '{"name": "sessionid", "value": "«{lower:31}7»", "domain": ".example.org"}',
      "curl -b 'sid=«{lower:31}7»' https://example.org",
    ],
    spared: [
      "Cookie: theme=dark; session=short",
      "the session={lower:31}7 of today",
      "Cookie: sessionid=<your session>",
    ],
  },
};

/** What stands in headers. */
export const HTTP_RULES: readonly SecretRule[] = [
  JSON_WEB_TOKEN,
  BEARER_TOKEN,
  BASIC_AUTH,
  AUTHORIZATION,
  SESSION_COOKIE,
];

function hasJoseHeader(token: string): boolean {
  const text = Buffer.from(token.slice(0, token.indexOf(".")), "base64url").toString("utf8");
  // An error costs more than a look.
  if (!text.trimEnd().endsWith("}")) return false;
  try {
    const header: unknown = JSON.parse(text);
    return isJsonObject(header) && typeof header["alg"] === "string";
  } catch {
    return false;
  }
}

function isUserAndPassword(text: string): boolean {
  const colon = text.indexOf(":");
  return (
    colon >= 0 &&
    /^[\x20-\x7e\u00a0-\u024f]+$/.test(text) &&
    text.length > colon + 3 &&
    !isPlaceholder(text.slice(colon + 1))
  );
}
