import { dictionary } from "@zxcvbn-ts/language-common";

/** Of the list, ordered by how often a password was found in leaks, those that a user could choose at all. */
const COMMON_MAX = 10_000;
const CHARS_MIN = 8;

/**
 * What somebody who guesses at this shop tries first. A password of nothing else, whatever digits and signs stand around
 * and between, is common here.
 */
const PRODUCT_WORDS =
  /flash|payment|pay|sale|shop|order|buyer|settlement|administrator|admin|user|login|welcome|password|secret/g;

const common = new Set(
  dictionary["passwords-common"]
    .filter((password): password is string => typeof password === "string" && password.length >= CHARS_MIN)
    .slice(0, COMMON_MAX),
);

/** Whether it is among the most common ones, in any case of its letters (NIST SP 800-63B §5.1.1.2). */
export function isCommonPassword(password: string): boolean {
  const text = password.toLowerCase();
  return common.has(text) || isProductWord(text);
}

function isProductWord(text: string): boolean {
  const letters = text.replace(/[^\p{L}]/gu, "");
  return letters !== "" && letters.replace(PRODUCT_WORDS, "") === "";
}
