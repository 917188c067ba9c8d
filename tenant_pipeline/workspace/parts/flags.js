/** What is switched on for the tenant, and its own values of it, for whoever owns the flag to set and clear. */

import { html } from "../vendor/modules.js";
import { act } from "../api.js";
import { fromBangkok, moment } from "../dates.js";
import { t } from "../language.js";
import { useResource } from "../resource.js";
import { may, ofTenant } from "../store.js";
import { Deed } from "./done.js";
import { Folded } from "./folded.js";
import { Loaded } from "./loaded.js";

/** @type {Record<string, string>} */
const CALLED = {
  "intake.links": "flagLinks",
  "marketplace.listings": "flagListings",
  "instance.exports": "flagExports",
  "instance.search_least_score": "flagLeastScore",
};
const shown = (value) => (typeof value === "boolean" ? t(value ? "on" : "off") : String(value));

function Value({ flag }) {
  if (flag.type === "boolean")
    return html`<select name="value" aria-label=${t("value")}>
      ${[true, false].map((each) => html`<option value=${String(each)} selected=${each === flag.value}>${shown(each)}</option>`)}
    </select>`;
  return flag.type === "number"
    ? html`<input name="value" type="number" step="any" required min=${flag.minimum} max=${flag.maximum} defaultValue=${flag.value} />`
    : html`<input name="value" required maxlength="1000" defaultValue=${flag.value} />`;
}

/** @type {Record<string, (text: string) => any>} */
const READ = { boolean: (text) => text === "true", number: Number, string: String };

function Flag({ flag }) {
  const place = ofTenant(`/flags/${flag.flag}`);
  const set = (form) =>
    act(
      place,
      {
        value: READ[flag.type](form.get("value")),
        reason: form.get("reason"),
        expires_at: fromBangkok(form.get("until")),
      },
      "PUT",
    );
  const clear = (form) => act(place, { reason: form.get("reason") }, "DELETE");
  const name = CALLED[flag.flag] ? t(CALLED[flag.flag]) : flag.flag;
  return html`
    <article class="card wide">
      <h3>${name} <span class="badge">${shown(flag.value)}</span></h3>
      <p class="quiet">
        <code>${flag.flag}</code> · ${flag.own ? t("ownValue") : t("defaultValue")}${flag.own && ` (${t("defaultValue")}: ${shown(flag.default)})`}
        ${flag.until && ` · ${t("expires")} ${moment(flag.until)}`}
      </p>
      ${may(...flag.owners) &&
      html`<details>
        <summary>${t("change")}</summary>
        <${Deed} legend=${name} button=${t("save")} send=${set}>
          <label>${t("value")}<${Value} flag=${flag} /></label>
          <label>${t("expires")}<input type="datetime-local" name="until" /></label>
        <//>
        ${flag.own && html`<${Deed} legend=${t("defaultValue")} button=${t("backToDefault")} kind="plain" send=${clear} />`}
      </details>`}
    </article>
  `;
}

export const Flags = () => html`<${Folded} title=${t("flags")}>${() => html`<${Values} />`}<//>`;

function Values() {
  const found = useResource(ofTenant("/flags"));
  return html`
    <${Loaded} of=${found}>
      ${({ flags, history }) => html`
        <div class="cards">${flags.map((each) => html`<${Flag} key=${each.flag} flag=${each} />`)}</div>
        ${history.length > 0 &&
        html`<details><summary>${t("history")}</summary>
          <ol>${history.map((each) => html`<li>${moment(each.at)} · <code>${each.flag}</code> ${each.act === "set" ? shown(each.value) : t("defaultValue")} · ${each.person} ${each.reason}</li>`)}</ol>
        </details>`}
      `}
    <//>
  `;
}
