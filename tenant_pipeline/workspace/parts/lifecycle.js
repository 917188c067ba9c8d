/** The tenant's state: the ways out of it for whom they are open, what they take beside approvals, and every change. */

import { html } from "../vendor/modules.js";
import { act } from "../api.js";
import { moment, number } from "../dates.js";
import { label, statusWord, t } from "../language.js";
import { useResource } from "../resource.js";
import { may, ofTenant } from "../store.js";
import { Deed } from "./done.js";
import { Loaded } from "./loaded.js";

const ASKING = ["contributor", "reviewer", "tenant-admin", "platform-governance"];

/** @param {{way: any, state: string}} properties */
function Way({ way, state }) {
  const returns = state === "suspended" && way.to === "live";
  const take = async (form) => {
    const { instance_left: left } = await act(ofTenant("/transitions"), { to: way.to, reason: form.get("reason") });
    return left && t(left.to === "request" ? "instanceToAsk" : "instanceFollows");
  };
  const ask = (form) => act(ofTenant("/return"), { reason: form.get("reason") });
  // Every other gated way is taken by what it waits for: a release, an instance.
  if (way.gate && !returns) return null;
  const called = label("states", way.to);
  return html`
    ${returns && may(...ASKING) &&
    html`<details><summary>${t("askReturn")}</summary><${Deed} legend=${t("askReturn")} button=${t("askReturn")} send=${ask} /></details>`}
    ${may(...way.roles) &&
    html`<details>
      <summary>${t("toState", { state: called })}</summary>
      <${Deed} legend=${t("toState", { state: called })} button=${t("toState", { state: called })} kind=${returns ? "" : "danger"} send=${take} />
    </details>`}
  `;
}

/** @param {{conditions: any[], test: any}} properties `test` is the newest penetration test of the installation */
function Conditions({ conditions, test }) {
  return html`
    <h3>${t("conditions")}</h3>
    <ul class="checks">
      ${conditions.map(
        (each) => html`<li key=${each.condition}>
          <span class=${`badge ${each.met ? "pass" : "fail"}`}>${statusWord(each.met ? "met" : "missing")}</span> ${statusWord(each.condition)}
          ${each.condition === "isolation-tested" && test &&
          html` <span class="quiet">${t("penetrationTest", { number: test.number, attempts: number(test.attempts), through: number(test.came_through) })} · ${test.person} · ${moment(test.at)}</span>`}
          ${each.condition === "isolation-tested" && !each.met && html`<br /><span class="quiet">${each.why_not.join("; ")}</span>`}
        </li>`,
      )}
    </ul>
  `;
}

export function Lifecycle() {
  const found = useResource(ofTenant("/transitions"));
  return html`
    <h2>${t("lifecycle")}</h2>
    <${Loaded} of=${found}>
      ${({ state, ways, conditions, penetration_test, transitions }) => html`
        <p><span class=${`badge state-${state}`}>${label("states", state)}</span></p>
        ${ways.map((way) => html`<${Way} key=${way.to} way=${way} state=${state} />`)}
        <${Conditions} conditions=${conditions} test=${penetration_test} />
        <ol>
          ${transitions.map((each) => html`<li>${moment(each.at)} · ${label("states", each.from_state)} → ${label("states", each.to_state)} · ${each.person} ${each.reason}</li>`)}
        </ol>
      `}
    <//>
  `;
}
