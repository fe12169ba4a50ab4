const ASCII = /^\p{ASCII}*$/u;

/** True for text that has one byte for each character, in UTF-8 as in latin1: most names, which need not be turned into bytes. */
export function isAscii(text: string): boolean {
  return ASCII.test(text);
}
