/** Words of the secrets that stand in tutorials, manuals and examples of JWTs, ours included. */
const WORDS =
  /change[-_ ]?(?:me|this|it)?|secret|password|passphrase|passw0rd|default|example|sample|placeholder|random|string|production|development|staging|super|strong|secure|private|signing|token|bearer|access|refresh|least|bits?|bytes?|long|very|your|must|should|this|that|with|here|some|test|demo|dummy|hello|world|admin|flashpay|node|express|json|web|jwt|hs256|sha256|hmac|auth|keyboard|cat|qwerty|please|replace|insert|application|my|at|key|in|is|a|an|the|of|to|be|or|do|not|use|256|512|128/gi;
/** What stands between words. */
const BETWEEN = /[-_ .,:;!?/+*#@$%&()[\]{}<>'"]/g;
const DIFFERENT_CHARACTERS_MIN = 8;
/** Characters that follow each other in the alphabet, up or down: 0123, dcba. Chance makes no five of them. */
const RUN_MIN = 5;

/**
 * Whether somebody could find a secret in a list, or make it: too little remains of it without well-known words,
 * sequences and repetitions. Words count only where what is left is short: random letters spell some, too.
 */
export function isGuessable(secret: string, bytesMin: number): boolean {
  if (new Set(secret).size < DIFFERENT_CHARACTERS_MIN || isRepeated(secret)) return true;
  const unique = withoutRuns(secret);
  if (Buffer.byteLength(unique) < bytesMin && unique !== secret) return true;
  return hasWord(secret) && Buffer.byteLength(secret.replace(WORDS, "").replace(BETWEEN, "")) < bytesMin;
}

/** Of one letter or two, random text has many by chance; of six or more, hardly any. */
const LONG_WORD =
  /change[-_ ]?me|secret|password|passphrase|default|example|placeholder|production|development|flashpay|string|keyboard|qwerty/i;
const hasWord = (text: string): boolean => LONG_WORD.test(text);

/** The same piece again and again, the last one cut off perhaps: halves, thirds. */
function isRepeated(text: string): boolean {
  for (let length = 1; length <= text.length / 2; length += 1) {
    const piece = text.slice(0, length);
    if (piece.repeat(Math.ceil(text.length / length)).startsWith(text)) return true;
  }
  return false;
}

/** Each run of neighbours counts as one character. */
function withoutRuns(text: string): string {
  let kept = "";
  for (let at = 0; at < text.length;) {
    const length = Math.max(runAt(text, at, 1), runAt(text, at, -1));
    kept += text[at] ?? "";
    at += length >= RUN_MIN ? length : 1;
  }
  return kept;
}

/** After 9 comes a, as hexadecimal digits do; after z nothing. */
const ORDER = "0123456789abcdefghijklmnopqrstuvwxyz";

function runAt(text: string, from: number, step: 1 | -1): number {
  let length = 1;
  const rank = (at: number): number => ORDER.indexOf((text[at] ?? " ").toLowerCase());
  while (rank(from + length - 1) >= 0 && rank(from + length) === rank(from + length - 1) + step) length += 1;
  return length;
}
