/** panel-conflict: the matrix of sources × fields, the items behind a cell, and the form in which one is decided. */

import { html, useEffect, useMemo, useRef, useState } from "../vendor/modules.js";
import { act, get } from "../api.js";
import { moment, number } from "../dates.js";
import { label, statusWord, t } from "../language.js";
import { Badge } from "../parts/badge.js";
import { Deed, useDone } from "../parts/done.js";
import { Loaded, Told } from "../parts/loaded.js";
import { editorOf, SharedText } from "../parts/presence.js";
import { meantForText, useKeys } from "../keys.js";
import { useResource } from "../resource.js";
import { attend, numberOf, useShared } from "../shared.js";
import { changes, me, narrow, ofTenant, roleOf } from "../store.js";

const DRAFTS = "conflict.drafts";
const STATUSES = ["open", "explained", "signed", "stale"];
const VERDICTS = ["differs", "refines", "incomparable", "same"];
const MOST_SHOWN = 200;
const LONGEST_REASON = 2000;
const NARROW = "(max-width: 46rem)";
const DECISIONS = { "both-right": "bothRight", "link-wrong": "linkWrong" };

/** @param {string} property */
const field = (property) => label("properties", property);

function Matrix({ counts, titles, params }) {
  const open = counts.filter((each) => each.status === (params.status ?? "open"));
  const properties = [...new Set(open.map((each) => each.property))].sort();
  const rows = [...new Set(open.map((each) => each.source_id))];
  const cells = useMemo(() => {
    const found = new Map();
    for (const each of open) {
      const key = `${each.source_id} ${each.property}`;
      found.set(key, (found.get(key) ?? 0) + each.items);
    }
    return found;
  }, [counts, params.status]);
  const most = [...cells.values()].reduce((found, items) => Math.max(found, items), 1);
  const title = (id) => titles[id] ?? id;
  if (!rows.length) return html`<p class="quiet">${t("none")}</p>`;
  return html`
    <div class="scroll">
      <table class="heat">
        <caption class="wa-visually-hidden">${t("matrix")}</caption>
        <thead><tr><th scope="col">${t("source")}</th>${properties.map((each) => html`<th scope="col">${field(each)}</th>`)}</tr></thead>
        <tbody>
          ${rows.map(
            (source) => html`<tr>
              <th scope="row">${title(source)}</th>
              ${properties.map((property) => {
                const items = cells.get(`${source} ${property}`) ?? 0;
                const chosen = params.source === source && params.property === property;
                return html`<td>
                  ${items > 0 &&
                  html`<button
                    class="has" aria-pressed=${chosen} style=${{ "--heat": `${15 + (60 * items) / most}%` }}
                    aria-label=${`${title(source)}, ${field(property)}: ${items}`}
                    onClick=${() => narrow({ source: chosen ? "" : source, property: chosen ? "" : property, item: "" })}
                  >${number(items)}</button>`}
                </td>`;
              })}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}

function Candidate({ one, titles, chosen, choose, proposed }) {
  return html`
    <label class="candidate">
      <input type="radio" name="candidate" checked=${chosen} onChange=${choose} />${" "}
      <span class="says" lang=${one.lang || undefined}>${one.value}</span>
      ${proposed && html` <span class="badge pass">${t("proposal")}</span>`}
      <span class="help">
        ${one.number}. ${titles[one.source_id] ?? one.source_id} · T${one.authority_tier} · <code>${one.locator}</code>
        ${one.observed_at && ` · ${moment(one.observed_at)}`}
        ${one.raw_value && one.raw_value !== one.value && html`<br />“${one.raw_value}”`}
      </span>
    </label>
  `;
}

/** The name of an item's reason in the drafts. @param {string} id */
const reasonOf = (id) => `${id} reason`;

/**
 * The decision that is being made, kept in the shared document until it is signed: all who are here write its reason
 * together, and what is chosen is each person's own, for others to see.
 *
 * It is bound to the candidates that were seen when it was begun, an untouched proposal as well: among others its number
 * is perhaps another value's. Where they have changed, the reason is left, and the choice is to be made again.
 */
function useDraft({ conflict_id: id, candidates_digest: digest, proposal }) {
  const { values, writable, set, remove, clear } = useShared(DRAFTS);
  const reason = values[reasonOf(id)] ?? "";
  const ofItem = `${id} choice `;
  const own = ofItem + numberOf(me().person).toString(36);
  const chosen = Object.keys(values).filter((key) => key.startsWith(ofItem));
  const mine = values[own];
  const others = chosen.filter((key) => key !== own).map((key) => values[key]).filter(Boolean);
  const outdated = mine ? mine.digest !== digest : Boolean(reason) && others.some((each) => each.digest !== digest);
  const proposed = proposal.numbers[0] ? { decision: proposal.decision, number: proposal.numbers[0] } : {};
  const choose = (choice) => set(own, { digest, by: me().person, ...choice });
  return {
    reason,
    choice: outdated ? {} : mine?.decision ? mine : proposed,
    others: others.filter((each) => each.digest === digest),
    outdated,
    writable,
    choose,
    explain: () => mine || outdated || choose({}),
    forget: () => {
      for (const key of chosen) remove(key);
      clear(reasonOf(id), reason);
    },
  };
}

/** What somebody would decide, in words of the form; nothing where it says none. */
function inWords(choice, candidates) {
  const one = candidates.find((each) => choice.decision === "candidate" && each.number === choice.number);
  if (one) return `${one.number}. ${one.value}`;
  const word = Object.entries({ ...DECISIONS, "human-pin": "otherValue" }).find(([each]) => each === choice.decision)?.[1];
  return word && [t(word), choice.value].filter(Boolean).join(": ");
}

function Form({ id, titles, follow }) {
  const resource = useResource(ofTenant(`/conflicts/${id}`));
  return html`<${Loaded} of=${resource}>${(form) => html`<${Decide} key=${id} form=${form} titles=${titles} follow=${follow} />`}<//>`;
}

function Decide({ form, titles, follow }) {
  const id = form.conflict_id;
  const { reason, choice, others, outdated, writable, choose, explain, forget } = useDraft(form);
  const role = roleOf(...form.who_may_sign.roles);
  const here = `${DRAFTS}/${id}`;
  const other = editorOf(here) ?? editorOf(`${DRAFTS}/${reasonOf(id)}`);
  const { decision } = choice;
  const sign = useDone(async () => {
    /** @type {Record<string, any>} */
    const body = { digest: form.candidates_digest, role, reason, decision };
    if (decision === "candidate") body.number = choice.number;
    if (decision === "human-pin") body.value = choice.value;
    await act(ofTenant(`/conflicts/${id}/signature`), body);
    forget();
    follow();
  }, t("signed"));
  const over = form.status === "stale";
  const section = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    attend(here);
    // On a phone the form lies below the list.
    if (matchMedia(NARROW).matches) section.current?.scrollIntoView({ block: "start" });
    return () => attend("");
  }, [id]);
  useKeys((event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (role && reason && decision && !over && !sign.busy) sign.start();
    } else if (over || meantForText(event)) return;
    else if (/^[1-9]$/.test(event.key) && form.candidates[Number(event.key) - 1]) choose({ decision: "candidate", number: Number(event.key) });
    else if (event.key === "b") choose({ decision: "both-right" });
  });
  const signature = form.signature;
  return html`
    <section ref=${section} aria-label=${form.label}>
      <h2>${form.label} · ${field(form.property)} <${Badge} status=${form.verdict} /> <${Badge} status=${form.status} /></h2>
      ${other && html`<p class="callout" style=${{ color: other.colour }}>${other.person}</p>`}
      <p>${t("chosenBy")} <b>${statusWord(form.proposal.rule)}</b>: ${[form.proposal.explanation].flat().map((part) => (typeof part === "string" ? part : (part.says ?? JSON.stringify(part)))).join(" ")}</p>
      ${outdated && !over && html`<p class="callout warn" role="alert">${t("chooseAgain")}</p>`}
      <fieldset disabled=${!writable || over}>
        <legend>${t("candidates")}</legend>
        ${form.candidates.map(
          (one) => html`<${Candidate}
            one=${one} titles=${titles} chosen=${decision === "candidate" && choice.number === one.number}
            proposed=${form.proposal.numbers.includes(one.number)} choose=${() => choose({ decision: "candidate", number: one.number })}
          />`,
        )}
        <label class="candidate">
          <input type="radio" name="candidate" checked=${decision === "human-pin"} onChange=${() => choose({ decision: "human-pin" })} /> ${t("otherValue")}
          ${decision === "human-pin" && html`<input aria-label=${t("otherValue")} value=${choice.value ?? ""} maxlength="10000" onInput=${(event) => choose({ decision, value: event.target.value })} />`}
        </label>
        ${Object.entries(DECISIONS).map(
          ([each, word]) => html`<label class="candidate"><input type="radio" name="candidate" checked=${decision === each} onChange=${() => choose({ decision: each })} /> ${t(word)}</label>`,
        )}
        ${others.map((each) => [each.by, inWords(each, form.candidates)]).filter(([, said]) => said).map(([by, said]) => html`<p class="help">${by}: ${said}</p>`)}
      </fieldset>
      ${signature && form.status === "signed" && html`<p class="callout success">${t("signedBy")} ${signature.person} · ${moment(signature.signed_at)} · ${signature.reason}</p>`}
      ${role && !over && form.status !== "signed" &&
      html`<${SharedText} field=${DRAFTS} name=${reasonOf(id)} label=${t("reason")} rows="2" longest=${LONGEST_REASON} within=${here} wrote=${explain} />
        <p class="help">${form.what_signing_does}</p>
        <${Told} problem=${sign.problem} />
        <div class="buttons"><button disabled=${sign.busy || !reason || !decision} onClick=${sign.start}>${t("sign")} · ${label("tenant_roles", role)}</button></div>`}
      ${role && form.status === "signed" &&
      html`<${Deed} legend=${t("reopen")} button=${t("reopen")} kind="danger" send=${(sent) => act(ofTenant(`/conflicts/${id}/reopening`), { role, reason: sent.get("reason") })} />`}
      <details>
        <summary>${t("history")} (${form.signatures.length})</summary>
        <ul>${form.signatures.map((each) => html`<li>${moment(each.signed_at)} · ${each.person} · ${each.decision} ${each.value ?? ""} · ${each.reason}</li>`)}</ul>
      </details>
    </section>
  `;
}

/** The lists in which the server signs all proposals of a rule; only the first tells what is on it.
 * @param {{proposed_rule: string, verdict: string}} chosen */
async function listsOf(chosen) {
  const lists = [];
  let after = "";
  do {
    const asked = new URLSearchParams({ rule: chosen.proposed_rule, verdict: chosen.verdict, after, shown: lists.length ? "0" : String(MOST_SHOWN) });
    const list = await get(ofTenant(`/conflicts/proposals?${asked}`));
    lists.push({ ...list, after });
    after = list.next ?? "";
  } while (after);
  return { ...chosen, lists, items: lists[0].items, total: lists.reduce((sum, each) => sum + each.listed, 0) };
}

function Bulk() {
  const resource = useResource(ofTenant("/conflicts/proposals/rules"));
  const role = roleOf(...(resource.data?.who_may_sign ?? []));
  const rules = resource.data?.rules ?? [];
  const [at, setAt] = useState("");
  const [listed, setListed] = useState(/** @type {any} */ (null));
  const [signed, setSigned] = useState(0);
  const nameOf = (each) => `${each.proposed_rule} ${each.verdict}`;
  const chosen = rules.find((each) => nameOf(each) === at) ?? rules[0];
  const show = useDone(async () => {
    setSigned(0);
    setListed(await listsOf(chosen));
  });
  if (!role || (!rules.length && !listed)) return null;
  const sign = async (form) => {
    let done = 0;
    try {
      for (const list of listed.lists) {
        const { proposed_rule: rule, verdict } = listed;
        const said = { rule, verdict, after: list.after, digest: list.digest, role, reason: form.get("reason") };
        done += (await act(ofTenant("/conflicts/proposals/signature"), said)).signed;
        setSigned(done);
      }
    } catch (problem) {
      if (done) changes.value += 1;
      throw problem;
    }
    setListed(null);
    return `${t("signed")}: ${number(done)} / ${number(listed.total)}`;
  };
  return html`
    <details>
      <summary>${t("bulk")}</summary>
      <p class="quiet">${t("bulkHelp")}</p>
      <div class="fields">
        <label>${t("rule")}<select onChange=${(event) => { setAt(event.target.value); setListed(null); }}>
          ${rules.map((each) => html`<option value=${nameOf(each)} selected=${each === chosen}>${statusWord(each.proposed_rule)} · ${statusWord(each.verdict)} (${number(each.items)})</option>`)}
        </select></label>
      </div>
      <${Told} problem=${show.problem} />
      <button class="plain" disabled=${show.busy || !chosen} onClick=${show.start}>${t("preview")}</button>
      ${listed && !listed.total && html`<p class="quiet">${t("none")}</p>`}
      ${listed?.total > 0 &&
      html`<div class="scroll"><table>
          <thead><tr><th>${t("name")}</th><th>${t("propertyName")}</th><th>${t("value")}</th></tr></thead>
          <tbody>${listed.items.map((each) => html`<tr><td>${each.canonical_id}</td><td>${field(each.property)}</td><td>${each.proposed_value}</td></tr>`)}</tbody>
        </table></div>
        <p class="quiet">${number(listed.total)} ${t("items")} ${listed.total > listed.items.length ? t("tooMany") : ""}</p>
        ${signed > 0 && html`<label>${t("signed")}: ${number(signed)} / ${number(listed.total)}<progress max=${listed.total} value=${signed}></progress></label>`}
        <${Deed} legend=${t("signAll")} button=${`${t("signAll")} (${number(listed.total)})`} send=${sign} />`}
    </details>
  `;
}

/** @param {{params: Record<string, string>}} properties */
export function Conflict({ params }) {
  const asked = { limit: "200", status: params.status ?? "open", source: params.source, property: params.property, verdict: params.verdict };
  const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value)).toString();
  const matrix = useResource(ofTenant("/conflicts/counts"));
  const page = useResource(ofTenant(`/conflicts?${query}`));
  const sources = useResource(ofTenant("/sources"));
  const titles = Object.fromEntries((sources.data?.sources ?? []).map((each) => [each.id, each.title]));
  const items = page.data?.items ?? [];
  const at = items.findIndex((each) => each.conflict_id === params.item);
  const step = (by) => {
    const to = items[Math.min(Math.max(at + by, 0), items.length - 1)];
    if (to) narrow({ item: to.conflict_id });
  };
  useKeys((event) => {
    if (meantForText(event)) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });
  return html`
    ${asked.status !== "stale" && html`<${Loaded} of=${matrix}>${(found) => html`<${Matrix} counts=${found.counts} titles=${titles} params=${params} />`}<//>`}
    <div class="fields">
      <label>${t("status")}<select value=${params.status ?? "open"} onChange=${(event) => narrow({ status: event.target.value, item: "" })}>
        ${STATUSES.map((each) => html`<option value=${each} selected=${each === (params.status ?? "open")}>${statusWord(each)}</option>`)}
      </select></label>
      <label>${t("verdict")}<select value=${params.verdict ?? ""} onChange=${(event) => narrow({ verdict: event.target.value, item: "" })}>
        <option value="">${t("anyVerdict")}</option>
        ${VERDICTS.map((each) => html`<option value=${each} selected=${each === params.verdict}>${statusWord(each)}</option>`)}
      </select></label>
    </div>
    <${Bulk} />
    <p class="help">${t("keys")}</p>
    <${Loaded} of=${page}>
      ${() => html`<div class="columns">
        <div>
          ${!items.length && html`<p class="quiet">${t("none")}</p>`}
          <ul class="items">
            ${items.map(
              (each) => html`<li key=${each.conflict_id}>
                <button aria-current=${each.conflict_id === params.item} onClick=${() => narrow({ item: each.conflict_id })}>
                  <b>${each.label}</b> · ${field(each.property)} ${each.needs_person && html`<span class="badge warn">${t("attention")}</span>`}
                  <span class="help">${[...new Set(each.candidates.map((one) => one.value))].slice(0, 4).join(" ≠ ")}</span>
                </button>
              </li>`,
            )}
          </ul>
          ${page.data?.next && html`<p class="quiet">${t("tooMany")}</p>`}
        </div>
        <div>${params.item && html`<${Form} id=${params.item} titles=${titles} follow=${() => step(1)} />`}</div>
      </div>`}
    <//>
  `;
}
