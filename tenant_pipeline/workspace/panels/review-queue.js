/** panel-review-queue: approvals with their clocks and assignments, and pairs of which nobody knows yet whether they are one. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { label, statusWord, t } from "../language.js";
import { useDone } from "../parts/done.js";
import { Loaded, Told } from "../parts/loaded.js";
import { Request } from "../parts/request.js";
import { useResource } from "../resource.js";
import { useShared } from "../shared.js";
import { labels, me, narrow, ofTenant, roleOf } from "../store.js";

const MOST_PAIRS = 50;

function Approvals({ params }) {
  const whose = params.whose === "mine" ? "mine" : "all";
  const found = useResource(ofTenant(`/approvals?whose=${whose}&waiting=${params.state !== "all"}`));
  const people = useResource(ofTenant("/roles"));
  const shown = (requests) =>
    requests.filter((each) => (!params.gate || each.gate === params.gate) && (!params.request || each.id === params.request));
  return html`
    <div class="fields">
      <label>${t("filter")}<select value=${whose} onChange=${(event) => narrow({ whose: event.target.value, request: "" })}>
        <option value="all">${t("all")}</option><option value="mine" selected=${whose === "mine"}>${t("mine")}</option>
      </select></label>
      <label>${t("gates")}<select value=${params.gate ?? ""} onChange=${(event) => narrow({ gate: event.target.value, request: "" })}>
        <option value="">${t("all")}</option>
        ${Object.keys(labels.value.review_gates).map((gate) => html`<option value=${gate} selected=${gate === params.gate}>${label("review_gates", gate)}</option>`)}
      </select></label>
      <label>${t("state")}<select value=${params.state ?? ""} onChange=${(event) => narrow({ state: event.target.value, request: "" })}>
        <option value="">${statusWord("waiting")}</option><option value="all" selected=${params.state === "all"}>${t("all")}</option>
      </select></label>
    </div>
    <${Loaded} of=${found}>
      ${({ requests }) => html`
        ${!shown(requests).length && html`<p class="quiet">${t("none")}</p>`}
        <div class="cards">
          ${shown(requests).map((each) => html`<${Request} key=${each.id} request=${each} people=${people.data?.roles ?? []} open=${each.id === params.request} />`)}
        </div>
      `}
    <//>
  `;
}

function Pair({ pair, judges }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const detail = useResource(open ? ofTenant(`/links/pairs/${pair.id}`) : null);
  const role = roleOf(...judges);
  const { values, writable, set, remove } = useShared("review.assignment");
  const taken = values[pair.id];
  const judge = (judgement) => () =>
    act(ofTenant("/links/judgement"), { left: pair.left_id, right: pair.right_id, judgement, role, reason: reason || t(judgement) });
  const deeds = { same: useDone(judge("same")), different: useDone(judge("different")), unsure: useDone(judge("unsure")) };
  return html`
    <article class="card wide">
      <h3>${pair.left_name ?? pair.left_id} ↔ ${pair.right_name ?? pair.right_id} ${pair.score !== null && html`<span class="badge">${Math.round(pair.score * 100)} %</span>`}</h3>
      ${taken
        ? html`<p>${t("assignedTo")} ${taken} ${taken === me().person && html`<button class="plain" onClick=${() => remove(pair.id)}>${t("back")}</button>`}</p>`
        : writable &&
          html`<button class="plain" onClick=${() => set(pair.id, me().person)}>${t("mine")}</button>`}
      <details onToggle=${(event) => setOpen(event.target.open)}>
        <summary>${t("evidence")}</summary>
        <${Loaded} of=${detail}>${(found) => html`<${Evidence} found=${found} />`}<//>
      </details>
      ${role &&
      html`<label>${t("reason")}<input value=${reason} maxlength="2000" onInput=${(event) => setReason(event.target.value)} /></label>
        <div class="buttons">
          ${Object.entries(deeds).map(([judgement, deed]) => html`<button class=${judgement === "same" ? "" : "plain"} disabled=${deed.busy} onClick=${deed.start}>${t(judgement)}</button>`)}
        </div>`}
      ${Object.values(deeds).map((deed) => html`<${Told} problem=${deed.problem} />`)}
    </article>
  `;
}

/** The parts of the score, each with its weight in bits, and what either side says. */
function Evidence({ found }) {
  const parts = found.explanation.parts ?? [];
  const properties = [...new Set(found.sides.flatMap((side) => Object.keys(side.features.values)))].sort();
  return html`
    ${found.explanation.says && html`<p>${found.explanation.says}</p>`}
    <ul>${parts.map((part) => html`<li class=${part.bits > 0 ? "pass" : "fail"}>${part.bits > 0 ? "+" : ""}${part.bits} · ${part.says}</li>`)}</ul>
    <div class="scroll"><table>
      <tbody>
        ${properties.map(
          (property) => html`<tr>
            <th scope="row">${label("properties", property)}</th>
            ${found.sides.map((side) => html`<td>${(side.features.values[property] ?? []).map((value) => [value].flat().join(" ")).join("; ")}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table></div>
  `;
}

/** @param {{params: Record<string, string>}} properties */
export function ReviewQueue({ params }) {
  const pairs = useResource(ofTenant(`/links?limit=${MOST_PAIRS + 1}`));
  return html`
    <h2>${t("approvals")}</h2>
    <${Approvals} params=${params} />
    <h2>${t("doubt")}</h2>
    <${Loaded} of=${pairs}>
      ${(found) => html`
        ${!found.pairs.length && html`<p class="quiet">${t("none")}</p>`}
        <div class="cards">${found.pairs.slice(0, MOST_PAIRS).map((pair) => html`<${Pair} key=${pair.id} pair=${pair} judges=${found.who_may_judge} />`)}</div>
        ${found.pairs.length > MOST_PAIRS && html`<p class="quiet">${t("tooMany")}</p>`}
      `}
    <//>
  `;
}
