export { age, type AgeOptions } from "./age.js";
export { type PassphraseSource, readIdentityFile } from "./identity-file.js";
export { generateIdentity, identityFileText, type KeyPair } from "./keygen.js";
export { default as agePlugin } from "./plugin.js";
export { recipientFingerprint } from "./recipients.js";
