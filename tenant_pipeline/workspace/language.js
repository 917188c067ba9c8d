/** What things are called in the language of the person. */

import { labels, language, LANGUAGES } from "./store.js";
import { STATUS_WORDS, WORDS } from "./words.js";

const at = () => LANGUAGES.indexOf(language.value);

/** A word of the workspace. @param {string} key @param {Record<string, string | number>} [filled] */
export function t(key, filled = {}) {
  let text = WORDS[key][at()];
  for (const [name, value] of Object.entries(filled)) text = text.replace(`{${name}}`, String(value));
  return text;
}

/** The word for a status, a verdict, a band or an operation. @param {string} status */
export const statusWord = (status) => STATUS_WORDS[status]?.[at()] ?? status;

/** A contract's label. @param {string} kind @param {string} id */
export const label = (kind, id) => labels.value[kind]?.[id]?.[language.value] ?? id;

/** A name that is given in three languages. @param {Record<string, string> | undefined} name */
export const named = (name) => name?.[language.value] || name?.en || "";
