/** panel-handoff: from the draft to the live knowledge base: what is left to check, what would change, who signs, the way back; the marketplace, the state, the flags. */

import { html } from "../vendor/modules.js";
import { act } from "../api.js";
import { moment, number } from "../dates.js";
import { label, t } from "../language.js";
import { Difference, isCompared } from "../parts/difference.js";
import { Deed } from "../parts/done.js";
import { Flags } from "../parts/flags.js";
import { Lifecycle } from "../parts/lifecycle.js";
import { Loaded } from "../parts/loaded.js";
import { Marketplace } from "../parts/marketplace.js";
import { Outdated } from "../parts/outdated.js";
import { Request } from "../parts/request.js";
import { useResource } from "../resource.js";
import { useShared } from "../shared.js";
import { may, me, ofTenant } from "../store.js";

const CHECKLIST = "handoff.checklist";
const CHECKS = ["checkPrivacy", "checkConflicts", "checkCoverage", "checkDifference"];
const ASKING = ["contributor", "reviewer", "tenant-admin", "platform-governance"];

function Checklist() {
  const { values, writable, set } = useShared(CHECKLIST);
  const tick = (name, done) => set(name, { by: me().person, done, at: new Date().toISOString() });
  return html`
    <h2>${t("checklist")}</h2>
    <ul class="checks">
      ${CHECKS.map((name) => {
        const said = values[name];
        return html`<li key=${name}>
          <label class="inline"><input type="checkbox" checked=${said?.done ?? false} disabled=${!writable} onChange=${(event) => tick(name, event.target.checked)} /> ${t(name)}</label>
          ${said && html` <span class="quiet">${said.by} · ${moment(said.at)}</span>`}
        </li>`;
      })}
    </ul>
  `;
}

function Asking() {
  if (!may(...ASKING)) return null;
  const ask = (operation) => (form) => act(ofTenant("/publish"), { operation, reason: form.get("reason") });
  return html`
    <div class="fields">
      <${Deed} legend=${t("publishing")} button=${t("askPublish")} send=${ask("release")} />
      <${Deed} legend="Nerve" button=${t("askInstance")} send=${ask("instance")} />
    </div>
  `;
}

function Releases({ found }) {
  const back = (release) => (form) => act(ofTenant("/rollback"), { to: release, reason: form.get("reason") });
  const published = new Set(found.history.filter((each) => each.stage === "published").map((each) => each.release_digest));
  return html`
    <h2>${t("releases")}</h2>
    ${!found.releases.length && html`<p class="quiet">${t("none")}</p>`}
    <div class="cards">
      ${found.releases.map(
        (each) => html`<section class="card wide" key=${each.release}>
          <h3>${each.version} ${each.live && html`<span class="badge pass">${t("live")}</span>`}</h3>
          <p class="quiet">${number(each.entities)} ${t("items")} · ${each.built_by} · ${moment(each.built_at)} · <code>${each.release.slice(0, 12)}</code></p>
          ${!each.live && published.has(each.release) && may(...ASKING) &&
          html`<details><summary>${t("askRollback")}</summary><${Deed} legend=${each.version} button=${t("askRollback")} kind="danger" send=${back(each.release)} /></details>`}
        </section>`,
      )}
    </div>
    <h2>${t("history")}</h2>
    <ol>${found.history.map((each) => html`<li>${moment(each.created_at)} · ${label("stages", each.stage)} ${each.version} · ${each.created_by} ${each.reason}</li>`)}</ol>
  `;
}

export function Handoff() {
  const releases = useResource(ofTenant("/releases"));
  const asked = useResource(ofTenant("/approvals"));
  const people = useResource(ofTenant("/roles"));
  const coverage = useResource(ofTenant("/coverage"));
  const live = releases.data?.releases.find((each) => each.live);
  const waiting = asked.data?.requests.filter((each) => ["waiting", "approved"].includes(each.state)) ?? [];
  // One release is asked for at several gates; what it changes is shown once.
  const compared = [...new Map(waiting.filter(isCompared).map((each) => [`${each.operation} ${each.content.release}`, each])).values()];
  return html`
    <${Loaded} of=${coverage}>
      ${(found) => html`
        <p class=${`callout ${found.green ? "success" : "danger"}`}>${found.green ? t("green") : t("notGreen")}</p>
        <${Outdated} since=${found.outdated_since} />
      `}
    <//>
    <${Checklist} />
    ${compared.map((each) => html`<${Difference} key=${each.id} request=${each} />`)}
    <h2>${t("waitsFor")}</h2>
    ${!waiting.length && html`<p class="quiet">${t("none")}</p>`}
    <div class="cards">${waiting.map((each) => html`<${Request} key=${each.id} request=${each} people=${people.data?.roles ?? []} />`)}</div>
    <${Asking} />
    <${Loaded} of=${releases}>${(found) => html`<${Releases} found=${found} />`}<//>
    <${Marketplace} live=${Boolean(live)} />
    <${Lifecycle} />
    <${Flags} />
  `;
}
