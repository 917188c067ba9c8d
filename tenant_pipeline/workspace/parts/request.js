/** A request for approval: what is asked for, whom it waits for, its clock, and the ways to answer it. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { distance, moment } from "../dates.js";
import { label, statusWord, t } from "../language.js";
import { me, ofTenant } from "../store.js";
import { Badge } from "./badge.js";
import { useDone } from "./done.js";
import { Told } from "./loaded.js";

/** @param {string[]} roles */
const named = (roles) => roles.map((role) => label("tenant_roles", role)).join(" / ");

/** The roles in which the person here may still answer. */
function rolesHere(request) {
  const wanted = request.waits_for.flat();
  const asked = request.requested_by === me().person;
  const said = request.decisions.some((each) => each.person === me().person && !each.revoked);
  return request.state !== "waiting" || asked || said ? [] : wanted.filter((role) => me().roles.includes(role));
}

function Answer({ request }) {
  const roles = rolesHere(request);
  const [role, setRole] = useState(roles[0] ?? "");
  const [reason, setReason] = useState("");
  const say = (approves) =>
    act(ofTenant(`/approvals/${request.id}/decision`), { digest: request.digest, approves, role: role || roles[0], reason });
  const accept = useDone(() => say(true), t("signed"));
  const reject = useDone(() => say(false));
  if (!roles.length) return null;
  return html`
    <fieldset disabled=${accept.busy || reject.busy}>
      <legend>${t("decide")}</legend>
      <div class="fields">
        ${roles.length > 1 &&
        html`<label>${t("role")}<select value=${role} onChange=${(event) => setRole(event.target.value)}>${roles.map((each) => html`<option value=${each}>${label("tenant_roles", each)}</option>`)}</select></label>`}
        <label>${t("reason")}<input value=${reason} maxlength="2000" onInput=${(event) => setReason(event.target.value)} /></label>
      </div>
      <${Told} problem=${accept.problem ?? reject.problem} />
      <div class="buttons">
        <button onClick=${accept.start}>${t("sign")} · ${named(roles.slice(0, 1))}</button>
        <button class="danger" onClick=${reject.start}>${t("reject")}</button>
      </div>
    </fieldset>
  `;
}

function Assignment({ request, people }) {
  const own = ["tenant-admin", "platform-governance", "founder", ...request.waits_for.flat()].find((role) => me().roles.includes(role));
  const [role, setRole] = useState(request.waits_for.flat()[0] ?? "");
  const candidates = people.filter((each) => each.role === role && each.person !== request.requested_by);
  const [to, setTo] = useState("");
  const deed = useDone(() => act(ofTenant(`/approvals/${request.id}/assignment`), { role, to: to || candidates[0]?.person, own_role: own }));
  if (!own || request.state !== "waiting") return null;
  return html`
    <details>
      <summary>${t("assign")}</summary>
      <div class="fields">
        <label>${t("role")}<select value=${role} onChange=${(event) => setRole(event.target.value)}>${request.waits_for.flat().map((each) => html`<option value=${each}>${label("tenant_roles", each)}</option>`)}</select></label>
        <label>${t("person")}<select value=${to} onChange=${(event) => setTo(event.target.value)}>${candidates.map((each) => html`<option value=${each.person}>${each.person}</option>`)}</select></label>
      </div>
      <${Told} problem=${deed.problem} />
      <button class="plain" disabled=${deed.busy || !candidates.length} onClick=${deed.start}>${t("assign")}</button>
    </details>
  `;
}

/** @param {{request: any, people: any[], open?: boolean}} properties */
export function Request({ request, people, open }) {
  const assigned = Object.entries(request.assigned_to);
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
      html`<ul>${request.decisions.map((each) => html`<li>${each.decision === "approve" ? "✓" : "✕"} ${each.person} · ${label("tenant_roles", each.role)} · ${moment(each.decided_at)} ${each.reason}</li>`)}</ul>`}
      <details open=${open}>
        <summary>${t("what")} <code>${request.digest.slice(0, 12)}</code></summary>
        <dl>${Object.entries(request.content).map(([name, value]) => html`<dt>${name}</dt><dd><code>${typeof value === "object" ? JSON.stringify(value) : String(value)}</code></dd>`)}</dl>
      </details>
      <${Answer} request=${request} />
      <${Assignment} request=${request} people=${people} />
    </article>
  `;
}
