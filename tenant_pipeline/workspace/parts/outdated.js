/** Since when a figure is that of a while ago, where counting a large knowledge base takes long. */

import { html } from "../vendor/modules.js";
import { moment } from "../dates.js";
import { t } from "../language.js";

/** @param {{since: string | null}} properties */
export const Outdated = ({ since }) => since && html`<p class="quiet">${t("countedAt", { time: moment(since) })}</p>`;
