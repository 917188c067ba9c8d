/** The beginning: who is here, and the workspace around the eight panels. */

import { html, render, signal, useEffect } from "./vendor/modules.js";
import { act, passes, Problem } from "./api.js";
import { label, named, t } from "./language.js";
import { listen } from "./live.js";
import { filtersOf, keepPanelState, loadPanelState } from "./panel-state.js";
import { Presence } from "./parts/presence.js";
import { useResource } from "./resource.js";
import { join, leave, leaveForGood } from "./shared.js";
import {
  address, calendar, connected, go, language, LANGUAGES, loadLabels, loadSession, me, notice, ofTenant, PANELS, session,
  tell, theme, view, wasAnothers, where,
} from "./store.js";
import { Conflict } from "./panels/conflict.js";
import { Coverage } from "./panels/coverage.js";
import { Handoff } from "./panels/handoff.js";
import { Normalise } from "./panels/normalise.js";
import { Overview } from "./panels/overview.js";
import { ReviewQueue } from "./panels/review-queue.js";
import { Upload } from "./panels/upload.js";
import { Wizard } from "./panels/wizard.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
/** As `api/routes/openid.py` has it. */
const LONGEST_WAY_BACK = 500;

/** @type {Record<string, any>} */
const COMPONENTS = {
  "panel-overview": Overview,
  "panel-wizard": Wizard,
  "panel-upload": Upload,
  "panel-normalise": Normalise,
  "panel-conflict": Conflict,
  "panel-review-queue": ReviewQueue,
  "panel-coverage": Coverage,
  "panel-handoff": Handoff,
};

function Preferences() {
  return html`
    <div class="preferences">
      <label
        ><span class="wa-visually-hidden">${t("language")}</span
        ><select value=${language.value} onChange=${(event) => (language.value = event.target.value)}>
          ${LANGUAGES.map((each) => html`<option value=${each} lang=${each} selected=${each === language.value}>${{ en: "English", th: "ไทย", zh: "中文" }[each]}</option>`)}
        </select></label
      >
      <button class="plain" onClick=${() => (theme.value = theme.value === "dark" ? "light" : "dark")}>
        ${theme.value === "dark" ? t("light") : t("dark")}
      </button>
      <label class="inline"
        ><input
          type="checkbox"
          checked=${calendar.value === "buddhist"}
          onChange=${(event) => (calendar.value = event.target.checked ? "buddhist" : "gregorian")}
        />
        ${t("era")}</label
      >
    </div>
  `;
}

function Navigation() {
  const steps = view.value === "guided";
  useEffect(() => {
    document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [where.value.panel]);
  return html`
    <nav aria-label=${t("actions")}>
      ${PANELS.map(
        (panel, number) => html`
          <a
            href=${address(panel, filtersOf(panel))}
            aria-current=${where.value.panel === panel ? "page" : undefined}
            onClick=${(event) => {
              event.preventDefault();
              go(panel, where.value.panel === panel ? {} : filtersOf(panel));
            }}
            >${steps && html`<span class="step" aria-hidden="true">${number + 1}</span>`}${label("workspace_panels", panel)}</a
          >
        `,
      )}
      <label class="inline view"
        ><input
          type="checkbox"
          checked=${!steps}
          onChange=${(event) => (view.value = event.target.checked ? "expert" : "guided")}
        />
        ${label("workspace_view_modes", "expert")}</label
      >
    </nav>
  `;
}

async function signOut() {
  const { tenant, person } = me();
  try {
    await act("/api/session", undefined, "DELETE");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status !== 401) {
      // The session is still good: whoever comes to this screen next would be in it.
      tell(`${t("notSignedOut")} ${problem.code === "unreachable" ? t("unreachable") : problem.message}`, "danger");
      return;
    }
  }
  leaveForGood(tenant, person);
  session.value = null;
}

function Workspace() {
  const { person, tenant, registered } = me();
  const { data } = useResource(registered ? ofTenant("") : null);
  useEffect(() => {
    if (!registered) return undefined;
    join(tenant, person);
    const silence = listen();
    return () => {
      silence();
      leave({ keeping: true });
    };
  }, [tenant, person, registered]);
  const { panel } = where.value;
  const Panel = registered ? COMPONENTS[panel] : Wizard;
  useEffect(() => {
    document.title = `${label("workspace_panels", panel)} · ${named(data?.name) || tenant}`;
  });
  return html`
    <a class="skip" href="#content">${t("skip")}</a>
    <header>
      <strong class="tenant">${named(data?.name) || tenant}</strong>
      ${data && html`<span class=${`badge state-${data.status}`}>${label("states", data.status)}</span>`}
      <${Presence} />
      <span class="person">${person}</span>
      <${Preferences} />
      <button class="plain" onClick=${signOut}>${t("signOut")}</button>
    </header>
    <div class="body">
      ${registered && html`<${Navigation} />`}
      <main id="content" tabindex="-1">
        ${registered && !connected.value && html`<p class="callout warn" role="status">${t("connecting")}</p>`}
        <h1>${label("workspace_panels", registered ? panel : "panel-wizard")}</h1>
        <${Panel} params=${where.value.params} />
      </main>
    </div>
    <div class="notice" role="status" aria-live="polite">
      ${notice.value && html`<p class=${`callout ${notice.value.kind}`}>${notice.value.text}</p>`}
    </div>
  `;
}

/** What is said of a sign-in that did not come about. @type {Record<string, string>} */
const SIGN_IN_FAILURES = { refused: "signInRefused", unreachable: "signInUnreachable" };

/** Where the provider's page leads back to: no further than the server takes an address. */
function wayBack() {
  const here = location.pathname + location.search;
  return location.pathname.startsWith("/workspace/") && here.length <= LONGEST_WAY_BACK ? here : location.pathname;
}

function SignedOut() {
  const { data } = useResource("/api/sign-in");
  const failure = SIGN_IN_FAILURES[failed.value];
  return html`
    <main class="signed-out">
      <img src="/static/icon.svg" alt="" width="48" height="48" />
      <h1>${t("signIn")}</h1>
      ${failure && html`<p class="callout danger" role="alert">${t(failure)}</p>`}
      ${data &&
      (data.openid
        ? html`<p><a class="button" href=${`/api/sign-in/openid?to=${encodeURIComponent(wayBack())}`}>${t("signInAtProvider")}</a></p>`
        : html`<p>${t("invited")}</p>`)}
      <${Preferences} />
    </main>
  `;
}

function NoRole() {
  return html`
    <main class="signed-out">
      <img src="/static/icon.svg" alt="" width="48" height="48" />
      <h1>${t("noRole")}</h1>
      <p>${me().person} · ${me().tenant}</p>
      <p>${t("noRoleHelp")}</p>
      <button class="plain" onClick=${signOut}>${t("signOut")}</button>
      <${Preferences} />
    </main>
  `;
}

/** How far the beginning has come: the server is asked, it is away, or it has said who is here. */
const beginning = signal(/** @type {"asking" | "away" | "over"} */ ("asking"));

function Root() {
  useEffect(() => {
    document.documentElement.lang = language.value;
    document.documentElement.className = theme.value === "dark" ? "wa-dark" : "wa-light";
  }, [language.value, theme.value]);
  if (beginning.value === "asking") return html`<p class="quiet">…</p>`;
  if (beginning.value === "away") return html`<main class="signed-out"><p class="callout warn" role="status">${t("unreachable")}</p></main>`;
  if (!session.value) return html`<${SignedOut} />`;
  return session.value.registered && !session.value.roles.length ? html`<${NoRole} />` : html`<${Workspace} />`;
}

/** Addresses that name no tenant: they lead to the panel in that of whoever signs in. @type {Record<string, string>} */
const PANELS_BY_ADDRESS = { "/kb/enterprise-upload": "panel-upload", "/kb/intake-workspace": "panel-overview" };

/** Why the person is not signed in, if they have just tried. */
const failed = signal("");

/** Begin a session with the code of a sign-in link, which stands in the address until it is used or refused. */
async function redeemCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return;
  try {
    await act("/api/session", { code });
  } catch (problem) {
    if (!(problem instanceof Problem) || passes(problem)) throw problem;
    // It is good once: perhaps it was used, and the answer was lost on the way.
  }
  history.replaceState(null, "", location.pathname + location.search);
}

async function begin() {
  await loadLabels();
  await redeemCode();
  await loadSession();
  const left = (await loadPanelState()) || PANELS[0];
  const asked = PANELS_BY_ADDRESS[location.pathname];
  if (asked) go(asked, {}, { replace: true });
  else if (!location.pathname.startsWith("/workspace/")) go(left, filtersOf(left), { replace: true });
  keepPanelState();
  if (wasAnothers()) tell(t("sessionChanged"), "warn");
}

failed.value = new URLSearchParams(location.hash.slice(1)).get("sign-in") ?? "";
const root = /** @type {HTMLElement} */ (document.getElementById("workspace"));
root.replaceChildren();
render(html`<${Root} />`, root);
for (let wait = FIRST_WAIT; beginning.value !== "over"; wait = Math.min(wait * 2, LONGEST_WAIT)) {
  try {
    await begin();
    beginning.value = "over";
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (passes(problem)) {
      beginning.value = "away";
      await new Promise((resume) => setTimeout(resume, wait * (0.5 + Math.random())));
    } else {
      session.value = null;
      beginning.value = "over";
    }
  }
}
