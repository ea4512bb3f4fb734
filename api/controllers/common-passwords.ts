import { dictionary } from "@zxcvbn-ts/language-common";

/** Of the list, ordered by how often a password was found in leaks, those that a user could choose at all. */
const COMMON_MAX = 10_000;
const CHARS_MIN = 8;

const common = new Set(
  dictionary["passwords-common"]
    .filter((password): password is string => typeof password === "string" && password.length >= CHARS_MIN)
    .slice(0, COMMON_MAX),
);

/** Whether it is among the most common ones, in any case of its letters (NIST SP 800-63B §5.1.1.2). */
export const isCommonPassword = (password: string): boolean => common.has(password.toLowerCase());
