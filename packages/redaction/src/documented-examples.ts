import { expandSample } from "./sample.js";

/**
 * Keys that manuals and specifications print: they open nothing, and stand in notes and tests because they do not. Parted, so that
 * no secret-looking text stands in the source.
 */
const EXAMPLES: readonly string[] = [
  // AWS, in all of its manuals.
  "AK{}IAIOSFODNN7EXAMPLE",
  "AK{}IAI44QH8DHBEXAMPLE",
  "AS{}IAIOSFODNN7EXAMPLE",
  "wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}EXAMPLEKEY",
  "je7MtGbClwBF/2Zp9Utk/h3yCo8nvb{}EXAMPLEKEY",
  // Stripe's manual.
  "sk_{}test_4eC39HqLyjWDarjtT1zdp7dc",
  "sk_{}test_BQokikJOvBiI2HlWgH4olfQ2",
  // The emulator of Azure's storage.
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/{}K1SZFPTOtr/KBHBeksoGMGw==",
  // jwt.io.
  "ey{}JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.ey{}JzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
  // RFC 7617, RFC 6749, RFC 6750.
  "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
  "czZCaGRSa3F0MzpnWDFmQmF0M2JW",
  "2YotnFZFEjr1zCsicMWpAA",
  "tGzv3JOkF0XG5Qx2TlKWIA",
  "mF_9.B5f-4.1JqM",
  // The format of keys for one-time passwords.
  "JBSWY3DPEHPK3PXP",
];

const DOCUMENTED: ReadonlySet<string> = new Set(EXAMPLES.map((example) => expandSample(example).text));

/** True for a key that is printed in a manual: the whole of it, not one that only looks like it. */
export function isDocumented(secret: string): boolean {
  return DOCUMENTED.has(secret);
}
