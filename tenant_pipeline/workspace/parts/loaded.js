/** What is shown while something is read, and when it cannot be read, or not anew. */

import { html } from "../vendor/modules.js";
import { t } from "../language.js";

/** @param {{of: {data: any, problem: any}, children: any}} properties `children` is a function of what was read */
export function Loaded({ of, children }) {
  if (!of.problem && !of.data) return html`<p class="quiet" role="status">${t("loading")}</p>`;
  return html`<${Told} problem=${of.problem} />${of.data && children(of.data)}`;
}

/** What the workspace has words of its own for, by code. @type {Record<string, string>} */
const OWN_WORDS = { unreachable: "unreachable", "session-changed": "sessionChanged" };

/** What went wrong, in a word. @param {any} problem */
export const wordOf = (problem) => (OWN_WORDS[problem.code] ? t(OWN_WORDS[problem.code]) : problem.message);

/** What went wrong, where, and what to do. @param {{problem: any}} properties */
export const Told = ({ problem }) =>
  problem &&
  html`<p class="callout danger" role="alert">
    ${wordOf(problem)}
    ${problem.where && html` <code>${problem.where}</code>`} ${problem.remedy}
  </p>`;
