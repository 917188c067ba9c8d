/** What is done with a request besides deciding: assigned, delegated, taken back; and a decision revoked. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { label, t } from "../language.js";
import { isSamePerson, me, ofTenant, PLATFORM_ROLES } from "../store.js";
import { Deed, useDone } from "./done.js";
import { Told } from "./loaded.js";

const OPEN = ["waiting", "approved"];
const ENDED = ["used", "withdrawn", "expired"];
/** Whose decision is nobody else's to give. */
const NEVER_DELEGATED = ["founder"];

const place = (request, what) => ofTenant(`/approvals/${request.id}/${what}`);
const holds = (role) => me().roles.includes(role);
/** @param {string[]} roles */
const options = (roles) => roles.map((role) => html`<option value=${role}>${label("tenant_roles", role)}</option>`);

export function Assignment({ request, people }) {
  const wanted = request.waits_for.flat();
  const own = ["tenant-admin", ...PLATFORM_ROLES, ...wanted].find(holds);
  const [role, setRole] = useState("");
  const [to, setTo] = useState("");
  const acting = wanted.includes(role) ? role : wanted[0];
  const candidates = people.filter((each) => each.role === acting && !isSamePerson(each.person, request.requested_by));
  const chosen = candidates.some((each) => each.person === to) ? to : candidates[0]?.person;
  const deed = useDone(() => act(place(request, "assignment"), { role: acting, to: chosen, own_role: own }));
  if (!own || request.state !== "waiting") return null;
  return html`
    <details>
      <summary>${t("assign")}</summary>
      <div class="fields">
        <label>${t("role")}<select value=${acting} onChange=${(event) => setRole(event.target.value)}>${options(wanted)}</select></label>
        <label>${t("person")}<select value=${chosen} onChange=${(event) => setTo(event.target.value)}>${candidates.map((each) => html`<option value=${each.person}>${each.person}</option>`)}</select></label>
      </div>
      <${Told} problem=${deed.problem} />
      <button class="plain" disabled=${deed.busy || !chosen} onClick=${deed.start}>${t("assign")}</button>
    </details>
  `;
}

/** One's own decision, handed to somebody who is in this tenant as well. */
export function Delegation({ request, people }) {
  const roles = request.waits_for.flat().filter((role) => holds(role) && !NEVER_DELEGATED.includes(role));
  const others = [...new Set(people.map((each) => each.person))].filter((person) => person !== me().person && !isSamePerson(person, request.requested_by));
  if (!roles.length || !others.length || request.state !== "waiting" || isSamePerson(request.requested_by, me().person)) return null;
  const send = (form) => act(place(request, "delegation"), { role: form.get("role"), to: form.get("to"), reason: form.get("reason") });
  return html`
    <details>
      <summary>${t("delegate")}</summary>
      <${Deed} legend=${t("delegate")} button=${t("delegate")} kind="plain" send=${send}>
        <label>${t("role")}<select name="role">${options(roles)}</select></label>
        <label>${t("person")}<select name="to">${others.map((person) => html`<option value=${person}>${person}</option>`)}</select></label>
      <//>
    </details>
  `;
}

export function Withdrawal({ request }) {
  if (request.requested_by !== me().person || !OPEN.includes(request.state)) return null;
  const send = (form) => act(place(request, "withdrawal"), { reason: form.get("reason") });
  return html`
    <details>
      <summary>${t("takeBackRequest")}</summary>
      <${Deed} legend=${t("takeBackRequest")} button=${t("takeBackRequest")} kind="danger" send=${send} />
    </details>
  `;
}

/** A decision taken back before it is used: one's own, one given in one's name, or anybody's as governance. */
export function Revocation({ request, decision }) {
  const governing = PLATFORM_ROLES.find(holds);
  const role = [decision.person, decision.on_behalf_of].includes(me().person) ? decision.role : governing;
  if (!role || decision.revoked || ENDED.includes(request.state)) return null;
  const send = (form) => act(place(request, "revocation"), { decision: decision.id, role, reason: form.get("reason") });
  return html`
    <details>
      <summary>${t("takeBackDecision")}</summary>
      <${Deed} legend=${`${decision.person} · ${label("tenant_roles", decision.role)}`} button=${t("takeBackDecision")} kind="danger" send=${send} />
    </details>
  `;
}
