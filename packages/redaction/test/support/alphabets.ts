/** The characters that keys are drawn from. */
export const LOWER = "abcdefghijklmnopqrstuvwxyz";
export const UPPER = LOWER.toUpperCase();
export const DIGIT = "0123456789";
export const HEX = `${DIGIT}abcdef`;
export const ALNUM = UPPER + LOWER + DIGIT;
export const B64 = `${ALNUM}+/`;
/** base64url */
export const WEB = `${ALNUM}-_`;
