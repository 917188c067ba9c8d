/** panel-normalise: the nine stages of a source as they happen, with what each let pass, its gates and its rejects. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { fromBangkok, moment, number } from "../dates.js";
import { label, statusWord, t } from "../language.js";
import { Badge } from "../parts/badge.js";
import { Deed } from "../parts/done.js";
import { Loaded } from "../parts/loaded.js";
import { SaidOf, SourceDeeds } from "../parts/source-deeds.js";
import { useResource } from "../resource.js";
import { events, may, me, narrow, ofTenant, PLATFORM_ROLES, roleOf } from "../store.js";

const STAGES = ["receive", "identify", "extract", "screen", "map", "standardise", "validate", "link", "assemble"];
const MOST_REJECTS = 100;
const MOST_EVENTS = 200;

function Stages({ record, chosen }) {
  const done = Object.fromEntries(record.stages.map((stage) => [stage.stage, stage]));
  const { ingest_stage: at, ingest_status: status } = record.source;
  const sign = (stage) => (done[stage] ? "✓" : stage === at && status === "stopped" ? "✕" : stage === at ? "…" : "○");
  return html`
    <ol class="stages" aria-label=${t("stages")}>
      ${STAGES.map((stage) => {
        const counted = done[stage];
        const band = counted ? "pass" : stage === at && status === "stopped" ? "fail" : "";
        return html`<li key=${stage}>
          <button aria-pressed=${stage === chosen} class=${band} onClick=${() => narrow({ stage })}>
            <span aria-hidden="true">${sign(stage)}</span>
            <span>${label("stages", stage)}</span>
            <span class="quiet">
              ${counted && `${number(counted.rows_in)} → ${number(counted.rows_out)}`}
              ${counted && counted.rows_rejected + counted.rows_quarantined > 0 && html` <b class="warn">−${number(counted.rows_rejected + counted.rows_quarantined)}</b>`}
            </span>
          </button>
        </li>`;
      })}
    </ol>
  `;
}

function Stage({ source, stage, counted }) {
  const rejects = useResource(ofTenant(`/sources/${source.id}/rejects?stage=${stage}&limit=${MOST_REJECTS + 1}`));
  return html`
    <h2>${label("stages", stage)}</h2>
    ${counted &&
    html`<dl class="cards">
      <div class="card"><dt>${t("rowsIn")}</dt><dd class="figure">${number(counted.rows_in)}</dd></div>
      <div class="card"><dt>${t("rowsOut")}</dt><dd class="figure">${number(counted.rows_out)}</dd></div>
      <div class="card"><dt>${t("rejected")}</dt><dd class="figure">${number(counted.rows_rejected)}</dd></div>
      <div class="card"><dt>${t("quarantined")}</dt><dd class="figure">${number(counted.rows_quarantined)}</dd></div>
      <div class="card"><dt>${t("seconds")}</dt><dd class="figure">${counted.seconds.toFixed(2)}</dd></div>
    </dl>
    ${counted.run_id && html`<p><a href=${`${me().dagster_url}/runs/${counted.run_id}`} target="_blank" rel="noreferrer">${t("dagsterRun")} <code>${counted.run_id}</code></a></p>`}`}
    <h3>${t("rejects")}</h3>
    <${Loaded} of=${rejects}>
      ${(found) =>
        found.rejects.length
          ? html`<div class="scroll"><table>
              <thead><tr><th>${t("locator")}</th><th>${t("reason")}</th></tr></thead>
              <tbody>${found.rejects.slice(0, MOST_REJECTS).map((each) => html`<tr><td><code>${each.locator}</code></td><td>${each.reason} <code>${each.code}</code></td></tr>`)}</tbody>
            </table></div>
            ${found.rejects.length > MOST_REJECTS && html`<p class="quiet">${t("tooMany")}</p>`}`
          : html`<p class="quiet">${t("none")}</p>`}
    <//>
  `;
}

/** Why the source was stopped or set back, and what to do about it. */
function Hindrance({ source }) {
  const found = source.hindrance;
  return (
    found &&
    html`<p role="status"><b class="warn">${label("stages", found.stage)} <code>${found.code}</code></b> ${found.what}. ${found.remedy}</p>`
  );
}

function Gates({ record }) {
  const closed = record.gates.filter((gate) => !gate.open);
  const send = (gate) => (form) =>
    act(ofTenant(`/sources/${record.source.id}/gate-override`), {
      gate,
      role: roleOf(...PLATFORM_ROLES),
      reason: form.get("reason"),
      expires_at: fromBangkok(form.get("until")),
    });
  return html`
    <h2>${t("gates")}</h2>
    ${!record.gates.length && html`<p class="quiet">${t("none")}</p>`}
    <ul>
      ${record.gates.map((gate) => html`<li>${statusWord(gate.gate)} <${Badge} status=${gate.band} /> ${gate.reasons.join("; ")} ${gate.overridden_by && html`<span class="quiet">${gate.overridden_by} · ${moment(gate.overridden_until)}</span>`}</li>`)}
    </ul>
    ${may(...PLATFORM_ROLES) &&
    closed.map(
      (gate) => html`<${Deed} legend=${`${t("giveOverride")}: ${statusWord(gate.gate)}`} button=${t("giveOverride")} send=${send(gate.gate)}>
        <label>${t("expires")}<input type="datetime-local" name="until" required /></label>
      <//>`,
    )}
  `;
}

/** Something that was refused, for whoever may let it in all the same. */
function Quarantined({ source, item }) {
  const role = roleOf(...PLATFORM_ROLES);
  const send = (form) => act(ofTenant(`/sources/${source}/quarantine-release`), { locator: item.locator, digest: item.digest, role, reason: form.get("reason") });
  return html`<li>
    <code>${item.path || item.locator}</code> ${item.reason}
    ${item.released_by && html` <span class="quiet">${statusWord(item.state)} · ${item.released_by} · ${moment(item.released_at)}</span>`}
    ${role && item.releasable && !item.released_by &&
    html`<details><summary>${t("letIn")}</summary><${Deed} legend=${item.path || item.locator} button=${t("letIn")} send=${send} /></details>`}
  </li>`;
}

function Events({ shown }) {
  return html`
    <div class="log" role="log" tabindex="0" aria-label=${t("events")}>
      ${!shown.length && html`<p class="quiet">${t("nothing")}</p>`}
      ${shown.slice(0, MOST_EVENTS).map(
        (event) => html`<p key=${event.number}>
          <time class="quiet">${moment(event.at)}</time> <b>${event.kind}</b> ${event.stage ? label("stages", event.stage) : event.subject} <span class="quiet">${event.actor}</span>
          ${event.details?.rows_in != null && ` ${number(event.details.rows_in)} → ${number(event.details.rows_out)}`} ${event.details?.code}
        </p>`,
      )}
    </div>
  `;
}

/** What was written down of a source, or of one of its stages, from its beginning; with what comes in just now on top. */
function Kept({ subject }) {
  const [after, setAfter] = useState("");
  const found = useResource(ofTenant(`/audit?subject=${subject}&limit=${MOST_EVENTS}${after && `&after=${after}`}`));
  return html`<${Loaded} of=${found}>
    ${({ entries, next }) => {
      const kept = entries.map((entry) => ({ ...entry, number: entry.sequence, kind: entry.action, stage: entry.subject.split(":")[1] }));
      const newest = kept[0]?.number ?? 0;
      const coming = after ? [] : events.value.filter((event) => event.number > newest && (event.subject === subject || event.source_id === subject));
      return html`
        <${Events} shown=${[...coming, ...kept]} />
        <div class="buttons">
          ${after && html`<button class="plain" onClick=${() => setAfter("")}>${t("newest")}</button>`}
          ${next && html`<button class="plain" onClick=${() => setAfter(next)}>${t("older")}</button>`}
        </div>
      `;
    }}
  <//>`;
}

/** The log of the stage that was chosen, else of the whole source; or of everything in the tenant, as it comes in. */
function Log({ source, stage }) {
  const [chosen, setScope] = useState("");
  const scopes = [...(stage ? ["stage"] : []), ...(source ? ["source"] : []), "tenant"];
  const scope = scopes.includes(chosen) ? chosen : scopes[0];
  const called = { stage: stage && label("stages", stage), source: t("wholeSource"), tenant: t("all") };
  const subject = scope === "stage" ? `${source}:${stage}` : source;
  return html`
    <h2>${t("events")}</h2>
    <label>${t("logOf")}<select value=${scope} onChange=${(event) => setScope(event.target.value)}>
      ${scopes.map((each) => html`<option value=${each} selected=${each === scope}>${called[each]}</option>`)}
    </select></label>
    ${scope === "tenant" ? html`<${Events} shown=${events.value} />` : html`<${Kept} key=${subject} subject=${subject} />`}
  `;
}

/** @param {{params: Record<string, string>}} properties */
export function Normalise({ params }) {
  const sources = useResource(ofTenant("/sources"));
  const chosen = params.source ?? sources.data?.sources[0]?.id ?? null;
  const record = useResource(chosen && ofTenant(`/sources/${chosen}`));
  const stage = STAGES.includes(params.stage) ? params.stage : (record.data?.source.ingest_stage || "receive");
  return html`
    <${Loaded} of=${sources}>
      ${(found) => html`<label>${t("source")}<select value=${chosen} onChange=${(event) => narrow({ source: event.target.value, stage: "" })}>
        ${found.sources.map((each) => html`<option value=${each.id} selected=${each.id === chosen}>${each.title}</option>`)}
      </select></label>
      ${!found.sources.length && html`<p class="quiet">${t("nothing")}</p>`}`}
    <//>
    ${chosen &&
    html`<${Loaded} of=${record}>
      ${(found) => html`
        <p>
          ${label("source_origins", found.source.origin)} · ${label("unit_modes", found.source.unit_mode)}${" "}
          <${Badge} status=${found.source.ingest_status} />
        </p>
        <${SaidOf} source=${found.source} />
        <${Hindrance} source=${found.source} />
        <${SourceDeeds} key=${found.source.id} source=${found.source} />
        <div class="columns">
          <div><${Stages} record=${found} chosen=${stage} /></div>
          <div><${Stage} source=${found.source} stage=${stage} counted=${found.stages.find((each) => each.stage === stage)} /></div>
        </div>
        ${found.quarantined.length > 0 &&
        html`<h2>${t("problems")}</h2>
          <ul>${found.quarantined.map((each) => html`<${Quarantined} key=${each.locator} source=${found.source.id} item=${each} />`)}</ul>`}
        <${Gates} record=${found} />
      `}
    <//>`}
    <${Log} source=${chosen} stage=${STAGES.includes(params.stage) ? params.stage : ""} />
  `;
}
