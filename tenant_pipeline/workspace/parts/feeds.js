/** The tenant's feeds: how each stands, when it is asked next, and a version that waits for a person. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { distance, moment, number } from "../dates.js";
import { label, statusWord, t } from "../language.js";
import { useResource } from "../resource.js";
import { may, ofTenant, roleOf } from "../store.js";
import { Badge } from "./badge.js";
import { Deed, useDone } from "./done.js";
import { Loaded, Told } from "./loaded.js";

/** @param {{feed: any, version: any}} properties a version that is held */
function Held({ feed, version }) {
  const role = roleOf("reviewer", "tenant-admin", "platform-governance");
  const [decision, setDecision] = useState("accept");
  const place = ofTenant(`/feeds/${feed.id}/versions/${version.number}/decision`);
  const send = (form) => act(place, { decision, role, reason: form.get("reason") });
  if (!role) return null;
  return html`
    <${Deed} legend=${`${t("decide")} · ${version.number}`} button=${decision === "accept" ? t("letIn") : t("refuse")} kind=${decision === "accept" ? "" : "danger"} send=${send}>
      <label>${t("decide")}<select value=${decision} onChange=${(event) => setDecision(event.target.value)}>
        <option value="accept">${t("letIn")}</option><option value="refuse">${t("refuse")}</option>
      </select></label>
    <//>
  `;
}

function Versions({ feed }) {
  const [after, setAfter] = useState(0);
  const found = useResource(ofTenant(`/feeds/${feed.id}${after ? `?after=${after}` : ""}`));
  return html`
    <${Loaded} of=${found}>
      ${({ versions, next }) => html`
        ${!versions.length && html`<p class="quiet">${t("none")}</p>`}
        <ul>
          ${versions.map((each, position) => {
            const held = !after && position === 0 && each.reasons.length > 0 && !each.decision;
            return html`<li key=${each.number}>
              ${each.number} · ${moment(each.fetched_at)} · ${number(each.rows)} ${t("items")}${" "}
              ${held && html`<${Badge} status="held" />`} ${each.decision && html`${statusWord(each.decision)} · ${each.person} · ${each.why}`}
              ${each.reasons.length > 0 && html`<span class="help">${each.reasons.join("; ")}</span>`}
              ${held && html`<${Held} feed=${feed} version=${each} />`}
            </li>`;
          })}
        </ul>
        <div class="buttons">
          ${after > 0 && html`<button class="plain" onClick=${() => setAfter(0)}>${t("newest")}</button>`}
          ${next && html`<button class="plain" onClick=${() => setAfter(next)}>${t("older")}</button>`}
        </div>
      `}
    <//>
  `;
}

function Feed({ feed }) {
  const [open, setOpen] = useState(false);
  const turn = (status) => useDone(() => act(ofTenant(`/feeds/${feed.id}/status`), { status }));
  const deeds = { active: turn("active"), paused: turn("paused") };
  const other = feed.status === "active" ? "paused" : "active";
  return html`
    <article class="card wide">
      <h3>${feed.title} <${Badge} status=${feed.status} /> ${feed.alerted && html`<${Badge} status=${`feed-${feed.alerted}`} />`}</h3>
      <p class="quiet">
        ${label("source_origins", feed.origin)} · <code>${feed.url}</code>
        ${feed.status === "active" && html` · ${t("nextTime")} ${moment(feed.due_at)} (${distance(feed.due_at)})`}
      </p>
      ${feed.error && html`<p class="fail">${feed.error}</p>`}
      ${feed.status !== "ended" && may("tenant-admin", "platform-governance") &&
      html`<button class="plain" disabled=${deeds[other].busy} onClick=${deeds[other].start}>${other === "paused" ? t("pause") : t("resume")}</button>`}
      <${Told} problem=${deeds.active.problem ?? deeds.paused.problem} />
      <details onToggle=${(event) => setOpen(event.target.open)}>
        <summary>${t("versions")}</summary>
        ${open && html`<${Versions} feed=${feed} />`}
      </details>
    </article>
  `;
}

export function Feeds() {
  const found = useResource(ofTenant("/feeds"));
  return html`
    <h2>${t("feeds")}</h2>
    <${Loaded} of=${found}>
      ${({ feeds }) => html`
        ${!feeds.length && html`<p class="quiet">${t("none")}</p>`}
        <div class="cards">${feeds.map((each) => html`<${Feed} key=${each.id} feed=${each} />`)}</div>
      `}
    <//>
  `;
}
