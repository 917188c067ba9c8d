/** What the whole workspace knows: who is here, in which language, where they are, and what has just happened. */

import { computed, effect, signal } from "./vendor/modules.js";
import { get, Problem } from "./api.js";

export const PANELS = [
  "panel-overview", "panel-wizard", "panel-upload", "panel-normalise",
  "panel-conflict", "panel-review-queue", "panel-coverage", "panel-handoff",
];
export const LANGUAGES = ["en", "th", "zh"];
const SIGNED_IN = "signed-in";
const ANOTHERS = "anothers";

/** @param {string} name @param {string} otherwise */
function kept(name, otherwise) {
  const value = signal(localStorage.getItem(name) ?? otherwise);
  effect(() => localStorage.setItem(name, value.value));
  return value;
}

/** @typedef {{person: string, tenant: string, roles: string[], writes: string[], registered: boolean, signs_with_key: boolean, expires_at: string, dagster_url: string}} Session */

/** @type {{value: Session | null}} */
export const session = signal(null);
/** Who is signed in; asked only where somebody is. */
export const me = () => /** @type {Session} */ (session.value);
/** Whether two names are one person's, as the server has it. @param {string} one @param {string} other */
export const isSamePerson = (one, other) => one.trim().toLowerCase() === other.trim().toLowerCase();
/** By kind and id: the label in three languages. @type {{value: Record<string, any>}} */
export const labels = signal({});
export const language = kept("language", LANGUAGES.find((each) => navigator.language.startsWith(each)) ?? "en");
export const theme = kept("theme", matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
export const calendar = kept("calendar", "gregorian");
export const view = kept("view", "guided");
/** Counts up whenever something has changed at the server: what is shown is then read again. */
export const changes = signal(0);
/** The newest events, newest first. @type {{value: any[]}} */
export const events = signal([]);
/** Whether the live log comes in, and whether the shared document is open: only with both is what is shown up to date. */
export const logIsOpen = signal(true);
export const documentIsOpen = signal(true);
export const connected = computed(() => logIsOpen.value && documentIsOpen.value);
/** What is told to the person in a line at the bottom. @type {{value: null | {kind: string, text: string}}} */
export const notice = signal(null);

const place = signal(location.pathname + location.search);
addEventListener("popstate", () => (place.value = location.pathname + location.search));

/** Where the person is: the panel, and what of it. */
export const where = computed(() => {
  const url = new URL(place.value, location.origin);
  const panel = url.pathname.split("/")[3] ?? "";
  return { panel: PANELS.includes(panel) ? panel : PANELS[0], params: Object.fromEntries(url.searchParams) };
});

/** The address of a panel. @param {string} panel @param {Record<string, string>} [params] */
export function address(panel, params = {}) {
  const given = Object.entries(params).filter(([, value]) => value !== "" && value != null);
  const query = new URLSearchParams(Object.fromEntries(given)).toString();
  return `/workspace/${session.value?.tenant}/${panel}${query ? `?${query}` : ""}`;
}

/** Go to a panel. @param {string} panel @param {Record<string, any>} [params] @param {{replace?: boolean}} [how] */
export function go(panel, params = {}, how = {}) {
  const to = address(panel, params);
  if (to === place.value) return;
  history[how.replace ? "replaceState" : "pushState"](null, "", to);
  place.value = to;
}

/** Change some of the parameters of this panel. @param {Record<string, any>} changed */
export const narrow = (changed) => go(where.value.panel, { ...where.value.params, ...changed }, { replace: true });

/** The tenant's own part of the API. @param {string} path */
export const ofTenant = (path) => `/api/tenant/${session.value?.tenant}${path}`;

/** The roles of those who answer for the installation, as `core/platform_roles.py` names them. */
export const PLATFORM_ROLES = ["platform-governance", "founder"];

/** Whether the person has one of these roles. @param {...string} roles */
export const may = (...roles) => roles.some((role) => session.value?.roles.includes(role));

/** The first of these roles that the person has. @param {...string} roles */
export const roleOf = (...roles) => roles.find((role) => session.value?.roles.includes(role));

/** @param {string} text @param {string} [kind] */
export function tell(text, kind = "success") {
  const told = { kind, text };
  notice.value = told;
  setTimeout(() => notice.value === told && (notice.value = null), 6000);
}

/** Learn who is here. Where that is another than until now, the page begins anew: what it shows and holds is not theirs. */
export async function loadSession() {
  const found = await get("/api/session");
  const before = session.value;
  if (before && (before.person !== found.person || before.tenant !== found.tenant)) {
    sessionStorage.setItem(ANOTHERS, "");
    location.assign(`/workspace/${found.tenant}/${PANELS[0]}`);
    return;
  }
  session.value = found;
  if (!before) localStorage.setItem(SIGNED_IN, crypto.randomUUID());
}

/** Whether this window was another person's before the page began anew. It is said once. */
export function wasAnothers() {
  const was = sessionStorage.getItem(ANOTHERS) !== null;
  sessionStorage.removeItem(ANOTHERS);
  return was;
}

// A browser has one session: who signs in in one of its windows is in all of them.
addEventListener("storage", ({ key }) => {
  if (key === SIGNED_IN && session.value) lookWhoIsHere();
});

/** Whether the server still knows who this is; where it does not, the person is told to sign in. */
export async function lookWhoIsHere() {
  try {
    await loadSession();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) session.value = null;
  }
}

export async function loadLabels() {
  labels.value = (await get("/api/labels")).labels;
}
