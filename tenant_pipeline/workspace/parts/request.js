/** A request for approval: what is asked for, whom it waits for, its clock, and the ways to answer it. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { distance, moment } from "../dates.js";
import { label, statusWord, t } from "../language.js";
import { chooseKey, ownKey, signatureOver } from "../signing.js";
import { address, go, isSamePerson, me, ofTenant, where } from "../store.js";
import { Badge } from "./badge.js";
import { isCompared } from "./difference.js";
import { useDone } from "./done.js";
import { Assignment, Delegation, Revocation, Withdrawal } from "./handing-over.js";
import { Told } from "./loaded.js";

const HANDOFF = "panel-handoff";

/** @param {string[]} roles */
const named = (roles) => roles.map((role) => label("tenant_roles", role)).join(" / ");

/** The roles in which the person here may still answer: their own, and those in which a decision was handed to them. */
function rolesHere(request) {
  const { person, roles } = me();
  const said = request.decisions.some((each) => each.person === person);
  if (request.state !== "waiting" || isSamePerson(request.requested_by, person) || said) return [];
  const handed = request.steps.filter((each) => each.step === "delegated" && each.to === person).map((each) => each.role);
  return request.waits_for.flat().filter((role) => roles.includes(role) || handed.includes(role));
}

/** For whoever signs with a key of their own: the file that it is in. */
function OwnKey() {
  const [refused, setRefused] = useState(false);
  const choose = (event) => chooseKey(event.target.files[0]).then(() => setRefused(false), () => setRefused(true));
  return html`
    <label>
      ${t("ownKey")}${ownKey.value && html` <span class="badge pass">✓</span>`}
      <input type="file" onChange=${choose} /><span class="help">${t("ownKeyHelp")}</span>
    </label>
    ${refused && html`<p class="callout danger" role="alert">${t("ownKeyRefused")}</p>`}
  `;
}

function Answer({ request }) {
  const roles = rolesHere(request);
  const [role, setRole] = useState(roles[0] ?? "");
  const [reason, setReason] = useState("");
  const acting = roles.includes(role) ? role : roles[0];
  const say = async (approves) => {
    const signature = me().signs_with_key ? await signatureOver(request, { decision: approves ? "approve" : "reject", role: acting, reason }) : null;
    return act(ofTenant(`/approvals/${request.id}/decision`), { digest: request.digest, approves, role: acting, reason, signature });
  };
  const keyless = me().signs_with_key && !ownKey.value;
  const accept = useDone(() => say(true), t("signed"));
  const reject = useDone(() => say(false));
  if (!roles.length) return null;
  return html`
    <fieldset disabled=${accept.busy || reject.busy}>
      <legend>${t("decide")}</legend>
      <div class="fields">
        ${roles.length > 1 &&
        html`<label>${t("role")}<select value=${acting} onChange=${(event) => setRole(event.target.value)}>${roles.map((each) => html`<option value=${each}>${label("tenant_roles", each)}</option>`)}</select></label>`}
        <label>${t("reason")}<input value=${reason} maxlength="2000" onInput=${(event) => setReason(event.target.value)} /></label>
      </div>
      ${me().signs_with_key && html`<${OwnKey} />`}
      <${Told} problem=${accept.problem ?? reject.problem} />
      <div class="buttons">
        <button disabled=${keyless} onClick=${accept.start}>${t("sign")} · ${named([acting])}</button>
        <button class="danger" disabled=${keyless} onClick=${reject.start}>${t("reject")}</button>
      </div>
    </fieldset>
  `;
}

/** @param {{request: any, people: any[], open?: boolean}} properties */
export function Request({ request, people, open }) {
  const assigned = Object.entries(request.assigned_to);
  const handed = request.steps.filter((each) => each.step === "delegated");
  return html`
    <article class="card wide" id=${`request-${request.id}`}>
      <h3>
        ${statusWord(request.operation)} · ${label("review_gates", request.gate)} <${Badge} status=${request.state} />
        ${request.breached && html` <span class="badge fail">${distance(request.due_at)}</span>`}
      </h3>
      <p class="quiet">${t("askedBy")} ${request.requested_by} · ${moment(request.requested_at)} · ${t("due")} ${moment(request.due_at)} (${distance(request.due_at)})</p>
      ${request.reason && html`<p>${request.reason}</p>`}
      ${request.waits_for.length > 0 && request.state === "waiting" && html`<p><b>${t("waitsFor")}</b> ${request.waits_for.map(named).join(", ")}</p>`}
      ${request.escalated_to.length > 0 && request.state === "waiting" && html`<p class="breached"><b>${t("escalated")}</b> ${request.escalated_to.map((role) => label("tenant_roles", role)).join(", ")}</p>`}
      ${assigned.length > 0 && html`<p>${t("assignedTo")} ${assigned.map(([role, person]) => `${person} (${label("tenant_roles", role)})`).join(", ")}</p>`}
      ${request.decisions.length > 0 &&
      html`<ul>${request.decisions.map(
        (each) => html`<li class=${each.revoked ? "quiet" : ""}>
          ${each.decision === "approve" ? "✓" : "✕"} ${each.person} · ${label("tenant_roles", each.role)}${each.on_behalf_of && ` (${t("onBehalfOf")} ${each.on_behalf_of})`}${" "}
          · ${moment(each.decided_at)} ${each.reason} ${each.revoked && html`<span class="badge">${t("takenBack")}</span>`}
          <${Revocation} request=${request} decision=${each} />
        </li>`,
      )}</ul>`}
      ${handed.length > 0 &&
      html`<p class="quiet">${handed.map((each) => `${each.person} → ${each.to} (${label("tenant_roles", each.role)}) ${each.reason}`).join(" · ")}</p>`}
      <details open=${open}>
        <summary>${t("what")} <code>${request.digest.slice(0, 12)}</code></summary>
        <dl>${Object.entries(request.content).map(([name, value]) => html`<dt>${name}</dt><dd><code>${typeof value === "object" ? JSON.stringify(value) : String(value)}</code></dd>`)}</dl>
      </details>
      ${isCompared(request) && where.value.panel !== HANDOFF &&
      html`<p><a href=${address(HANDOFF)} onClick=${(event) => { event.preventDefault(); go(HANDOFF); }}>${t("lookAtChanges")}</a></p>`}
      <${Answer} request=${request} />
      <${Assignment} request=${request} people=${people} />
      <${Delegation} request=${request} people=${people} />
      <${Withdrawal} request=${request} />
    </article>
  `;
}
