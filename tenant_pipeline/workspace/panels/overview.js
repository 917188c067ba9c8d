/** panel-overview: how the tenant stands, the state of each source, what waits for whom, where its places are, and what was done. */

import { html } from "../vendor/modules.js";
import { label, statusWord, t } from "../language.js";
import { distance, number } from "../dates.js";
import { AuditTrail } from "../parts/audit-trail.js";
import { Badge } from "../parts/badge.js";
import { Governed } from "../parts/governed.js";
import { Loaded } from "../parts/loaded.js";
import { PlacesMap } from "../parts/places-map.js";
import { useResource } from "../resource.js";
import { address, go, ofTenant } from "../store.js";

/** @param {{panel: string, params?: any, class?: string, children: any}} properties */
function Way({ panel, params, children, ...rest }) {
  const follow = (event) => {
    event.preventDefault();
    go(panel, params);
  };
  return html`<a href=${address(panel, params)} onClick=${follow} ...${rest}>${children}</a>`;
}

/** @param {{panel: string, figure: any, children: any, band?: string}} properties */
const Card = ({ panel, figure, children, band = "" }) => html`
  <${Way} panel=${panel} class=${`card ${band}`}><span class="figure">${figure}</span>${children}<//>
`;

function Figures({ found }) {
  const handedIn = Object.values(found.sources).reduce((sum, count) => sum + count, 0);
  return html`
    <div class="cards">
      <${Card} panel="panel-review-queue" figure=${number(found.waits_for_you)} band=${found.waits_for_you ? "warn" : ""}>${t("waitsForYou")}<//>
      <${Card} panel="panel-normalise" figure=${number(handedIn)}>
        ${t("sources")}
        <span class="help">${Object.entries(found.sources).map(([status, count]) => `${statusWord(status)} ${number(count)}`).join(" · ")}</span>
      <//>
      <${Card} panel="panel-conflict" figure=${number(found.conflicts.open)} band=${found.conflicts.for_person ? "warn" : ""}>
        ${t("conflicts")} <span class="help">${t("attention")} ${number(found.conflicts.for_person)} · ${t("signed")} ${number(found.conflicts.signed)}</span>
      <//>
      <${Card} panel="panel-review-queue" figure=${number(found.pairs_in_doubt)}>${t("doubt")}<//>
      <${Card} panel="panel-coverage" figure=${found.green ? "✓" : "!"} band=${found.green ? "pass" : "fail"}>
        ${found.green ? t("green") : t("notGreen")}
      <//>
      <${Card} panel="panel-handoff" figure=${found.live_release?.version ?? "–"}>
        ${t("live")} ${found.live_release && html`<span class="help">${number(found.live_release.entities)} ${t("items")}</span>`}
      <//>
    </div>
  `;
}

const Waiting = ({ requests }) => html`
  <h2>${t("waitsFor")}</h2>
  ${!requests.length && html`<p class="quiet">${t("none")}</p>`}
  ${requests.length > 0 &&
  html`<div class="scroll">
    <table>
      <thead><tr><th>${t("what")}</th><th>${t("gates")}</th><th>${t("waitsFor")}</th><th>${t("due")}</th></tr></thead>
      <tbody>
        ${requests.map(
          (each) => html`<tr key=${each.id}>
            <td><${Way} panel="panel-review-queue" params=${{ request: each.id }}>${statusWord(each.operation)}<//></td>
            <td>${label("review_gates", each.gate)}</td>
            <td>${each.waits_for.map((need) => need.map((role) => label("tenant_roles", role)).join(" / ")).join(", ")}</td>
            <td class=${each.breached ? "breached" : ""}>
              ${distance(each.due_at)}
              ${each.escalated_to.length > 0 && html`<span class="help breached">${t("escalated")} ${each.escalated_to.map((role) => label("tenant_roles", role)).join(", ")}</span>`}
            </td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`}
`;

const Sources = ({ sources }) => html`
  <h2>${t("sources")}</h2>
  ${!sources.length && html`<p class="quiet">${t("nothing")} <${Way} panel="panel-upload">${t("handIn")}<//></p>`}
  ${sources.length > 0 &&
  html`<div class="scroll">
    <table>
      <thead><tr><th>${t("title")}</th><th>${t("origin")}</th><th>${t("status")}</th><th class="number">${t("conflicts")}</th></tr></thead>
      <tbody>
        ${sources.map(
          (each) => html`<tr key=${each.id}>
            <td><${Way} panel="panel-normalise" params=${{ source: each.id }}>${each.title}<//></td>
            <td>${label("source_origins", each.origin)}</td>
            <td><${Badge} status=${each.ingest_status} /></td>
            <td class="number">${number(each.conflicts_count)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`}
`;

/** @param {{params: Record<string, string>}} properties */
export function Overview({ params }) {
  const overview = useResource(ofTenant("/overview"));
  const sources = useResource(ofTenant("/sources"));
  return html`
    <${Loaded} of=${overview}>${(found) => html`<${Figures} found=${found} /><${Waiting} requests=${found.waiting} />`}<//>
    <${Loaded} of=${sources}>${(found) => html`<${Sources} sources=${found.sources} />`}<//>
    <h2>${t("places")}</h2>
    <${PlacesMap} />
    <${Governed} />
    <h2>${t("audit")}</h2>
    <${AuditTrail} params=${params} />
  `;
}
