/** panel-coverage: a meter for each dimension, its thresholds, what would lift it, and governance's overrides. */

import { html } from "../vendor/modules.js";
import { act } from "../api.js";
import { fromBangkok, moment, percent } from "../dates.js";
import { label, statusWord, t } from "../language.js";
import { Badge } from "../parts/badge.js";
import { Deed } from "../parts/done.js";
import { Loaded } from "../parts/loaded.js";
import { Outdated } from "../parts/outdated.js";
import { useResource } from "../resource.js";
import { may, narrow, ofTenant, PLATFORM_ROLES } from "../store.js";

function Meter({ found }) {
  const share = found.score ?? 0;
  const marks = [found.warn_at, found.pass_at];
  return html`
    <div
      class=${`meter ${found.counts_as}`} role="meter" aria-valuemin="0" aria-valuemax="1" aria-valuenow=${share}
      aria-label=${label("coverage_dimensions", found.dimension)}
    >
      <i style=${{ width: `${share * 100}%` }}></i>
      ${marks.map((mark) => html`<b style=${{ left: `${mark * 100}%` }}></b>`)}
    </div>
  `;
}

function Override({ found }) {
  const path = ofTenant(`/coverage/${found.dimension}/override`);
  if (found.override) {
    const withdraw = (form) => act(`${path}/withdraw`, { reason: form.get("reason") });
    return html`
      <p>${t("override")}: ${statusWord(found.override.floor)} · ${found.override.approver} · ${moment(found.override.expires_at)} · ${found.override.reason}</p>
      <${Deed} legend=${t("withdraw")} button=${t("withdraw")} kind="danger" send=${withdraw} />
    `;
  }
  const give = (form) =>
    act(path, {
      floor: form.get("floor"),
      reason: form.get("reason"),
      requested_by: form.get("requested_by"),
      expires_at: fromBangkok(form.get("until")),
    });
  return html`
    <${Deed} legend=${t("giveOverride")} button=${t("giveOverride")} send=${give}>
      <label>${t("floor")}<select name="floor"><option value="warn">${statusWord("warn")}</option><option value="pass">${statusWord("pass")}</option></select></label>
      <label>${t("requestedBy")}<input name="requested_by" required maxlength="200" /></label>
      <label>${t("expires")}<input type="datetime-local" name="until" required /></label>
    <//>
  `;
}

function Dimension({ found, open }) {
  return html`
    <section class="card wide" aria-label=${label("coverage_dimensions", found.dimension)}>
      <h3>
        ${label("coverage_dimensions", found.dimension)} · ${percent(found.score)}${" "}
        <${Badge} status=${found.counts_as} />
        ${found.counts_as !== found.band && html` <span class="quiet">(${statusWord(found.band)})</span>`}
      </h3>
      <${Meter} found=${found} />
      <p class="quiet">
        ${t("thresholds", { warn: percent(found.warn_at), pass: percent(found.pass_at) })}
        ${found.needed_for_next_band && ` · ${t("toNext", { needed: found.needed_for_next_band, band: statusWord(found.next_band) })}`}
      </p>
      <p>${found.explanation}</p>
      <details open=${open} onToggle=${(event) => event.target.open && narrow({ dimension: found.dimension })}>
        <summary>${t("liftHelp")}</summary>
        ${found.groups.length > 0 && html`<ul>${found.groups.map((group) => html`<li>${group}</li>`)}</ul>`}
        ${!found.groups.length && !found.lifts.length && html`<p class="quiet">${t("none")}</p>`}
        ${found.lifts.length > 0 &&
        html`<div class="scroll"><table>
          <thead><tr><th>${t("name")}</th><th>${t("what")}</th><th>${t("source")}</th><th>${t("locator")}</th></tr></thead>
          <tbody>${found.lifts.map((lift) => html`<tr><td>${lift.label}</td><td>${lift.lacks}</td><td>${lift.source}</td><td><code>${lift.locator}</code></td></tr>`)}</tbody>
        </table></div>`}
      </details>
      ${found.overridable &&
      may(...PLATFORM_ROLES) &&
      html`<details open=${Boolean(found.override)}>
        <summary>${t("answerFor")}</summary>
        <${Override} found=${found} />
      </details>`}
    </section>
  `;
}

/** @param {{params: Record<string, string>}} properties */
export function Coverage({ params }) {
  const of = params.source ? `?source=${params.source}` : "";
  const coverage = useResource(ofTenant(`/coverage${of}`));
  const explained = useResource(ofTenant(`/coverage/explanation${of}`));
  const sources = useResource(ofTenant("/sources"));
  return html`
    <label>${t("source")}<select value=${params.source ?? ""} onChange=${(event) => narrow({ source: event.target.value })}>
      <option value="">${t("all")}</option>
      ${sources.data?.sources.map((each) => html`<option value=${each.id} selected=${each.id === params.source}>${each.title}</option>`)}
    </select></label>
    <${Loaded} of=${coverage}>
      ${(found) => html`
        <p class=${`callout ${found.green ? "success" : "danger"}`}>${found.green ? t("green") : t("notGreen")}</p>
        <${Outdated} since=${found.outdated_since} />
        ${found.reasons.length > 0 && html`<ul>${found.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
      `}
    <//>
    <${Loaded} of=${explained}>
      ${(found) => html`
        <${Outdated} since=${found.outdated_since} />
        <div class="cards">
          ${found.dimensions.map((each) => html`<${Dimension} key=${each.dimension} found=${each} open=${each.dimension === params.dimension} />`)}
        </div>
      `}
    <//>
  `;
}
