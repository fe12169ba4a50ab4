/** For `keepsake plugin test`: the policy's options. */
const options = { "my-redaction": {} };
export default options;

/** One or more for each rule: the very characters of the secret, in a text as people write it. No real secret. */
export const samples = [
  { text: "ACME_TOKEN=acme_AbCdEfGhIjKlMnOpQrStUvWx", secret: "acme_AbCdEfGhIjKlMnOpQrStUvWx" },
  { text: 'curl -H "token: acme_0123456789abcdefghijklmnop"', secret: "acme_0123456789abcdefghijklmnop" },
];

/** Texts that come close, and in which nothing is to be found. */
export const clean = ["acme_short", "the acme_ prefix", "my_acme_AbCdEfGhIjKlMnOpQrStUvWx is a name"];

export const conformance = { "my-redaction": { samples, clean } };
