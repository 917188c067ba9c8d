/** What is said of a source, put right; and a source that ought not to be there, taken out. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { beginOfDay, dayInBangkok, moment } from "../dates.js";
import { t } from "../language.js";
import { may, ofTenant, roleOf } from "../store.js";
import { Deed } from "./done.js";

/** What people know of it besides what it says: where it is from, under which rights, as of when.
 * @param {{source: any}} properties */
export function SaidOf({ source }) {
  const { withdrawal } = source;
  return html`
    <dl class="cards">
      ${(source.filename || source.url) && html`<div class="card wide"><dt>${source.url ? t("address") : t("file")}</dt><dd><code>${source.url || source.filename}</code></dd></div>`}
      <div class="card"><dt>${t("rights")}</dt><dd>${source.rights || html`<b class="warn">${t("noRights")}</b>`}</dd></div>
      <div class="card"><dt>${t("observedAt")}</dt><dd>${source.observed_at ? moment(source.observed_at) : t("none")}</dd></div>
    </dl>
    ${withdrawal && html`<p role="status"><b class="warn">${t("withdrawnBy")}</b> ${withdrawal.person} · ${moment(withdrawal.at)} · ${withdrawal.reason}</p>`}
  `;
}

/** A deed that is out of the way until it is wanted. @param {{summary: string, children?: any}} properties */
function Aside({ summary, children }) {
  const [open, setOpen] = useState(false);
  return html`<details onToggle=${(event) => setOpen(event.target.open)}><summary>${summary}</summary>${open && children}</details>`;
}

/** @param {{source: any}} properties */
export function SourceDeeds({ source }) {
  if (source.withdrawal) return null;
  const place = ofTenant(`/sources/${source.id}`);
  const change = (form) => {
    const day = form.get("observed");
    const date = day === dayInBangkok(source.observed_at) ? {} : { observed_at: day ? beginOfDay(day) : null };
    return act(place, { title: form.get("title"), rights: form.get("rights"), ...date }, "PATCH");
  };
  const role = roleOf("tenant-admin", "platform-governance");
  const withdraw = (form) => act(`${place}/withdrawal`, { role, reason: form.get("reason") });
  return html`
    ${may("contributor", "tenant-admin") &&
    html`<${Aside} summary=${t("putRight")}>
      <${Deed} key=${source.id} legend=${t("putRight")} button=${t("save")} send=${change} reason=${false}>
        <label>${t("title")}<input name="title" required maxlength="200" defaultValue=${source.title} /></label>
        <label>${t("rights")}<input name="rights" maxlength="2000" defaultValue=${source.rights} /></label>
        <label>${t("observedAt")}<input type="date" name="observed" max=${dayInBangkok(Date.now())} defaultValue=${dayInBangkok(source.observed_at)} /><span class="help">${t("observedHelp")}</span></label>
      <//>
    <//>`}
    ${role &&
    html`<${Aside} summary=${t("withdrawSource")}>
      <p class="help">${t("withdrawHelp")}</p>
      <${Deed} key=${source.id} legend=${t("withdrawSource")} button=${t("withdraw")} kind="danger" send=${withdraw} />
    <//>`}
  `;
}
