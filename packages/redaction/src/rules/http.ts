import { isJsonObject } from "@keepsake/core";
import { looksRandom } from "../randomness.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

/** RFC 7519, and RFC 7516 with five parts. Its first part has to be the header it would be. */
export const JSON_WEB_TOKEN: SecretRule = {
  id: "jwt",
  description: "JSON Web Tokens",
  keywords: ["eyj"],
  patterns: [secretPattern(String.raw`${START}(?<secret>eyJ[\w-]{8,}\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]+)?)`)],
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

export const BEARER_TOKEN: SecretRule = {
  id: "bearer_token",
  description: "tokens in Authorization headers (RFC 6750)",
  keywords: ["bearer"],
  patterns: [secretPattern(String.raw`${START}bearer(?:[ \t]{1,4}|%20|\+)(?<secret>[\w.~+/-]{20,}={0,2})`, "i")],
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

function hasJoseHeader(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf(".")), "base64url").toString("utf8"));
    return isJsonObject(header) && typeof header["alg"] === "string";
  } catch {
    return false;
  }
}
