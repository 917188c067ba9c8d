/** panel-wizard: a tenant is registered, and filled in step by step by everybody who is here. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { label, t } from "../language.js";
import { Deed, useDone } from "../parts/done.js";
import { Loaded, Told } from "../parts/loaded.js";
import { SharedText } from "../parts/presence.js";
import { useResource } from "../resource.js";
import { useShared } from "../shared.js";
import { go, labels, loadSession, may, me, narrow, ofTenant } from "../store.js";

const ANSWERS = "wizard.answers";
const STEPS = ["identity", "agreement", "people", "plan", "ready"];
const GRANTED = ["tenant-admin", "reviewer", "contributor", "viewer"];

/** The names of a form. @param {FormData} form */
const namesOf = (form) => ({ th: form.get("th"), en: form.get("en"), zh: form.get("zh") });

function Registration() {
  const send = async (form) => {
    const domain = form.get("domain");
    await act("/api/tenant/register", { id: me().tenant, name: namesOf(form), domain });
    await loadSession();
    go("panel-wizard", { step: "agreement" });
  };
  return html`
    <p>${t("registerHelp")}</p>
    <${Deed} legend=${me().tenant} button=${t("register")} send=${send} reason=${false} done=${t("saved")}>
      <label>${t("nameTh")}<input name="th" required maxlength="200" lang="th" /></label>
      <label>${t("nameEn")}<input name="en" required maxlength="200" lang="en" /></label>
      <label>${t("nameZh")}<input name="zh" required maxlength="200" lang="zh" /></label>
      <label>${t("domain")}<input name="domain" required pattern="[a-z0-9\\-]+(\\.[a-z0-9\\-]+)+" placeholder="city.example" /></label>
    <//>
  `;
}

/** What of the tenant's row is answered in the wizard, and under which keys. @type {Record<string, string[]>} */
const ANSWERED = { name: ["th", "en", "zh"], domain: ["domain"], pdpa_agreement_ref: ["agreement"] };

/** What was typed together, by the keys of the answers, as the tenant's row takes it. @param {any[][]} typed */
function changesOf(typed) {
  const { domain, agreement, ...name } = Object.fromEntries(typed);
  return { name: Object.keys(name).length ? name : undefined, domain, pdpa_agreement_ref: agreement };
}

/** Saves what was typed of these parts of the tenant's row: from then on the row says it, and the document no longer. */
function Keep({ parts }) {
  const { values, clear } = useShared(ANSWERS);
  const typed = parts.flatMap((part) => ANSWERED[part]).filter((key) => values[key]).map((key) => [key, values[key]]);
  const deed = useDone(async () => {
    await act(ofTenant(""), changesOf(typed), "PATCH");
    for (const [key, said] of typed) clear(key, said);
  }, t("saved"));
  return html`
    <${Told} problem=${deed.problem} />
    <div class="buttons">
      <button onClick=${deed.start} disabled=${deed.busy || !typed.length || !may("tenant-admin", "platform-governance")}>${t("save")}</button>
    </div>
  `;
}

/** @param {string} value what the tenant's row holds */
const now = (value) => `${t("now")}: ${value}`;

const Identity = ({ row }) => html`
  <div class="fields">
    <label>${t("slug")}<input value=${row.id} disabled /></label>
    <${SharedText} field=${ANSWERS} name="domain" label=${t("domain")} help=${now(row.domain)} />
  </div>
  <div class="fields">
    <${SharedText} field=${ANSWERS} name="th" label=${t("nameTh")} help=${now(row.name.th)} />
    <${SharedText} field=${ANSWERS} name="en" label=${t("nameEn")} help=${now(row.name.en)} />
    <${SharedText} field=${ANSWERS} name="zh" label=${t("nameZh")} help=${now(row.name.zh)} />
  </div>
  <${Keep} parts=${["name", "domain"]} />
  <${Tier} row=${row} />
`;

function Tier({ row }) {
  if (!may("platform-governance")) return null;
  const send = (form) => act(ofTenant(""), { tier: form.get("tier") }, "PATCH");
  return html`<${Deed} legend=${t("tier")} button=${t("change")} send=${send} reason=${false}>
    <label>${t("tier")}<input name="tier" required maxlength="200" defaultValue=${row.tier} /></label>
  <//>`;
}

const Agreement = ({ row }) => html`
  <${SharedText} field=${ANSWERS} name="agreement" label=${t("agreement")} help=${row.pdpa_agreement_ref ? now(row.pdpa_agreement_ref) : t("agreementHelp")} />
  <${Keep} parts=${["pdpa_agreement_ref"]} />
`;

/** A role that somebody has; whoever may give it may take it again. */
function Held({ held }) {
  const removal = useDone(() => act(ofTenant("/roles"), { person: held.person, role: held.role }, "DELETE"));
  const called = `${held.person} · ${label("tenant_roles", held.role)}`;
  return html`<li>
    ${called}${" "}
    ${may("tenant-admin", "platform-governance") && GRANTED.includes(held.role) &&
    html`<button class="plain" aria-label=${`${t("remove")}: ${called}`} disabled=${removal.busy} onClick=${removal.start}>${t("remove")}</button>`}
    <${Told} problem=${removal.problem} />
  </li>`;
}

function People() {
  const held = useResource(ofTenant("/roles"));
  const send = (form) => act(ofTenant("/roles"), { person: form.get("person"), role: form.get("role") });
  return html`
    <${Loaded} of=${held}>
      ${({ roles }) => html`<ul>${roles.map((each) => html`<${Held} key=${`${each.person} ${each.role}`} held=${each} />`)}</ul>`}
    <//>
    ${may("tenant-admin", "platform-governance") &&
    html`<${Deed} legend=${t("people")} button=${t("add")} send=${send} reason=${false}>
      <label>${t("person")}<input name="person" required maxlength="200" /></label>
      <label>${t("role")}<select name="role">${GRANTED.map((role) => html`<option value=${role}>${label("tenant_roles", role)}</option>`)}</select></label>
    <//>`}
  `;
}

function Plan() {
  const { values, writable, set, remove } = useShared(ANSWERS);
  const [origin, setOrigin] = useState("partner-doc");
  const [title, setTitle] = useState("");
  const planned = Object.entries(values).filter(([key]) => key.startsWith("source:"));
  const add = (event) => {
    event.preventDefault();
    set(`source:${crypto.randomUUID()}`, { origin, title: title.trim(), by: me().person });
    setTitle("");
  };
  return html`
    ${!planned.length && html`<p class="quiet">${t("nothing")}</p>`}
    <ul>
      ${planned.map(
        ([key, source]) => html`<li key=${key}>
          ${source.title} · ${label("source_origins", source.origin)} <span class="quiet">${source.by}</span>${" "}
          <button class="plain" onClick=${() => go("panel-upload", { origin: source.origin, title: source.title })}>${t("handIn")}</button>${" "}
          <button class="plain" disabled=${!writable} onClick=${() => remove(key)}>${t("remove")}</button>
        </li>`,
      )}
    </ul>
    <form onSubmit=${add}>
      <div class="fields">
        <label>${t("title")}<input value=${title} required maxlength="200" onInput=${(event) => setTitle(event.target.value)} /></label>
        <label>${t("origin")}<select value=${origin} onChange=${(event) => setOrigin(event.target.value)}>
          ${Object.keys(labels.value.source_origins).map((each) => html`<option value=${each} selected=${each === origin}>${label("source_origins", each)}</option>`)}
        </select></label>
      </div>
      <div class="buttons"><button disabled=${!writable}>${t("add")}</button></div>
    </form>
  `;
}

/** Who has to be there before anything can be signed, and where they come from. @type {Record<string, string>} */
const SIGNERS = { "tenant-admin": "missingOwn", reviewer: "missingOwn", "platform-governance": "missingPlatform", founder: "missingPlatform" };

function Ready({ row }) {
  const held = useResource(ofTenant("/roles"));
  const sources = useResource(ofTenant("/sources"));
  const holders = (role) => held.data?.roles.filter((each) => each.role === role).map((each) => each.person) ?? [];
  const signers = Object.keys(SIGNERS).filter((role) => role !== "founder" || !row.founder_signoff_ref);
  const checks = [
    [t("identity"), Boolean(row.name.th && row.name.en && row.name.zh), ""],
    [t("agreement"), Boolean(row.pdpa_agreement_ref), t("agreementHelp")],
    ...signers.map((role) => [`${label("tenant_roles", role)}${holders(role).length ? `: ${holders(role).join(", ")}` : ""}`, holders(role).length > 0, t(SIGNERS[role])]),
    [t("sources"), (sources.data?.sources.length ?? 0) > 0, ""],
  ];
  return html`
    <ul class="checks">
      ${checks.map(([name, good, help]) => html`<li class=${good ? "pass" : "warn"}>${good ? "✓" : "○"} ${name}${!good && help && html`<span class="help">${help}</span>`}</li>`)}
    </ul>
    <p class="quiet">${t("othersSign")}</p>
    <div class="buttons"><button onClick=${() => go("panel-upload")}>${t("handIn")}</button></div>
  `;
}

/** @type {Record<string, any>} */
const PAGES = { identity: Identity, agreement: Agreement, people: People, plan: Plan, ready: Ready };

/** @param {{params: Record<string, string>}} properties */
export function Wizard({ params }) {
  const tenant = useResource(me().registered ? ofTenant("") : null);
  if (!me().registered) return html`<${Registration} />`;
  const step = STEPS.includes(params.step) ? params.step : STEPS[0];
  const at = STEPS.indexOf(step);
  const Page = PAGES[step];
  return html`
    <ol class="choices" aria-label=${t("actions")}>
      ${STEPS.map(
        (each, position) => html`<li>
          <button class=${each === step ? "" : "plain"} aria-current=${each === step ? "step" : undefined} onClick=${() => narrow({ step: each })}>${position + 1}. ${t(each)}</button>
        </li>`,
      )}
    </ol>
    <h2>${t(step)}</h2>
    <${Loaded} of=${tenant}>${(row) => html`<${Page} row=${row} />`}<//>
    <div class="buttons">
      <button class="plain" disabled=${at === 0} onClick=${() => narrow({ step: STEPS[at - 1] })}>${t("back")}</button>
      <button class="plain" disabled=${at === STEPS.length - 1} onClick=${() => narrow({ step: STEPS[at + 1] })}>${t("next")}</button>
    </div>
  `;
}
