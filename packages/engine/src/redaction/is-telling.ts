/** The commonest pairs of letters in English, as far as words are told from random letters by them. */
const PAIRS = new Set(
  (
    "th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld ur " +
    "ic ri ro li io ne me la el ma ch co ta ce us il ee ll om no ca di ho un ec tr ns so ac rs em lo ss pe ot po na ge ut " +
    "ol be id ly ai ie oo pa pr ad ul ch ow wi sh mo ir am ow we ke ts ay op cr ap ty av ck ev iv fo fi bl pl ex mp rt " +
    "gi go bo bu da do du ep fa fe fr gr ig im ag ab ba br cl cu ef eg ei ey ga gh gu ib if ip ki ks lt mi mu ni oc od og " +
    "oi ok os ov pi qu rd rk rm rn ru ry sc sk sp su sw tu ua uc ud ue ui um up va vi wa wo ye yo"
  ).split(" "),
);

/** Fragments of what every key of a kind begins or ends with, and of the headers of tokens; folded. */
const COMMON = [
  "eyjhbgcioijiuzi1niisinr5cci6ikpxvcj9",
  "eyj0exaioijkv1qilcjhbgcioijiuzi1nij9",
  "eyjhbgcioijsuzi1niisinr5cci6ikpxvcj9",
  "eyjhbgcioijsuzi1niisimtpzci6i",
  "b3blbnnzac1rzxktdjeaaaaabg5vbmuaaaaebm9uzqaaaaaaaaabaaaamwaaaatzc2gtzwqynte5aaaai",
  "b3blbnnzac1rzxktdjeaaaaabg5vbmuaaaaebm9uzqaaaaaaaaab",
  "miievgibadanbgkqhkig9w0baqefaascbkgwggskageaaoibaq",
  "miicdwibadanbgkqhkig9w0baqefaascamewggjdageaaoga",
  "mighageambmgbyqgsm49ageccqgsm49awehbg0wawibaqq",
  "miibijanbgkqhkig9w0baqefaaocaq8amiibcgkcaqea",
  "mfkwewyhkozizj0caqyikozizj0daqcdqgae",
  "mc4caqawbqydk2vwbciei",
  "anbgkqhkig9w0baqefaa",
  "bkozizj0dbggqhkjopqqb",
  "aaaab3nzac1yc2eaaaadaqabaaab",
  "aaaac3nzac1lzdi1nte5aaaai",
  "aaaae2vjzhnhlxnoytitbmlzdhayntyaaaaibmlzdhayntyaaab",
  "age-secret-key-",
  "sk-ant-api03-",
  "sk-ant-admin01-",
  "sk-ant-oat01-",
  "sk-svcacct-",
  "github_pat_11",
  "https://hooks.slack.com/services/",
  "https://discord.com/api/webhooks/",
  "ya29.a0af",
  "0123456789abcdef0123456789abcdef",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnm",
];

/** Kinds of characters that have to be in a fragment: fewer are a row of dashes, zeros, padding. */
const MIN_DISTINCT = 6;
/** Of the pairs of letters, the share from which they are words: random letters have a third, words nearly all. */
const WORDS = 0.62;

/**
 * True for twelve bytes (folded) that hardly stand anywhere but in the one secret. False for words, dates and numbers that
 * count up, few characters over and over, and what all secrets of a kind have in common.
 */
export function isTelling(window: Uint8Array): boolean {
  if (new Set(window).size < MIN_DISTINCT) return false;
  const text = Buffer.from(window).toString("latin1");
  if (COMMON.some((common) => common.includes(text))) return false;
  return !isWords(text) && !isDate(text) && !isSequence(window);
}

function isWords(text: string): boolean {
  // Hex digits make pairs that words have, and hardly a word.
  if (!/[g-z]/.test(text)) return false;
  const runs = text.match(/[a-z]+/g) ?? [];
  const letters = runs.reduce((sum, run) => sum + run.length, 0);
  const digits = text.replaceAll(/[^0-9]/g, "").length;
  // "rotate-in-2024": one number among words. More than one, or a longer one, no words.
  if (digits > 4 || (text.match(/[0-9]+/g) ?? []).length > 1 || letters + digits < 6) return digits === 0;
  let pairs = 0;
  let known = 0;
  for (const run of runs) {
    for (let index = 1; index < run.length; index++) {
      pairs++;
      if (PAIRS.has(run.slice(index - 1, index + 1))) known++;
    }
  }
  return pairs >= 4 && known / pairs >= WORDS;
}

/** A moment, whole or in part: "2026-03-01t0", "03-01 09:26:". */
function isDate(text: string): boolean {
  return /^[0-9tz:+. -]+$/.test(text) && /[-: ]/.test(text);
}

/** "123456789abc", "cba987654321": each character the next one of the one before. */
function isSequence(window: Uint8Array): boolean {
  let steps = 0;
  for (let index = 1; index < window.length; index++) {
    if (Math.abs((window[index] ?? 0) - (window[index - 1] ?? 0)) === 1) steps++;
  }
  return steps >= window.length - 3;
}
