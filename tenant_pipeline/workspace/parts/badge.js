/** A word for how something stands, with its colour. */

import { html } from "../vendor/modules.js";
import { statusWord } from "../language.js";

/** @param {{status: string}} properties */
export const Badge = ({ status }) => html`<span class=${`badge ${status} is-${status}`}>${statusWord(status)}</span>`;
