/** The audit trail: who did what, when and why, narrowed as the address says, page by page. */

import { html } from "../vendor/modules.js";
import { fromBangkok, moment } from "../dates.js";
import { t } from "../language.js";
import { useResource } from "../resource.js";
import { narrow, ofTenant } from "../store.js";
import { Loaded } from "./loaded.js";

const TEXTS = { actor: "auditActor", action: "auditAction", subject: "auditSubject" };
const TIMES = { since: "since", until: "before" };
const FIRST_PAGE = { after: "" };

/** @param {Record<string, string>} params */
function address(params) {
  const asked = new URLSearchParams();
  for (const name of [...Object.keys(TEXTS), "after"]) if (params[name]) asked.set(name, params[name]);
  for (const name of Object.keys(TIMES)) {
    const time = fromBangkok(params[name]);
    if (time) asked.set(name, time);
  }
  return ofTenant(`/audit?${asked}`);
}

function Entry({ entry }) {
  const { reason, approvals, ...rest } = entry.details;
  const told = Object.entries(rest).filter(([, value]) => value !== "" && value !== null);
  return html`<tr>
    <td class="number">${entry.sequence}</td>
    <td><time datetime=${entry.at}>${moment(entry.at)}</time></td>
    <td>${entry.actor}</td>
    <td><code>${entry.action}</code></td>
    <td><code>${entry.subject}</code></td>
    <td>
      ${reason}
      ${approvals?.length > 0 && html`<div class="quiet">${t("approvals")}: ${approvals.map((id) => html`<code>${id}</code> `)}</div>`}
      ${told.length > 0 &&
      html`<details><summary>${t("more")}</summary>
        <dl>${told.map(([name, value]) => html`<dt>${name}</dt><dd><code>${typeof value === "object" ? JSON.stringify(value) : String(value)}</code></dd>`)}</dl>
      </details>`}
    </td>
  </tr>`;
}

function Entries({ params }) {
  const found = useResource(address(params));
  const search = (event) => {
    event.preventDefault();
    narrow({ ...FIRST_PAGE, ...Object.fromEntries(new FormData(event.target)) });
  };
  const field = (name, called, type) => html`
    <label>${t(called)}<input type=${type} name=${name} defaultValue=${params[name] ?? ""} maxlength="200" /></label>
  `;
  return html`
    <form onSubmit=${search}>
      <div class="fields">
        ${Object.entries(TEXTS).map(([name, called]) => field(name, called, "text"))}
        ${Object.entries(TIMES).map(([name, called]) => field(name, called, "datetime-local"))}
      </div>
      <div class="buttons"><button>${t("filter")}</button></div>
    </form>
    <${Loaded} of=${found}>
      ${({ entries, next }) => html`
        ${!entries.length && html`<p class="quiet">${t("none")}</p>`}
        ${entries.length > 0 &&
        html`<div class="scroll" tabindex="0" role="region" aria-label=${t("audit")}><table>
          <thead><tr><th class="number">#</th><th>${t("when")}</th><th>${t("auditActor")}</th><th>${t("auditAction")}</th><th>${t("auditSubject")}</th><th>${t("reason")}</th></tr></thead>
          <tbody>${entries.map((entry) => html`<${Entry} key=${entry.sequence} entry=${entry} />`)}</tbody>
        </table></div>`}
        <div class="buttons">
          ${params.after && html`<button class="plain" onClick=${() => narrow(FIRST_PAGE)}>${t("newest")}</button>`}
          ${next && html`<button class="plain" onClick=${() => narrow({ after: next })}>${t("older")}</button>`}
        </div>
      `}
    <//>
  `;
}

/** @param {{params: Record<string, string>}} properties */
export function AuditTrail({ params }) {
  const open = params.trail === "open";
  return html`
    <details open=${open} onToggle=${(event) => event.target === event.currentTarget && event.target.open !== open && narrow({ trail: event.target.open ? "open" : "" })}>
      <summary>${t("auditRead")}</summary>
      ${open && html`<${Entries} params=${params} />`}
    </details>
  `;
}
