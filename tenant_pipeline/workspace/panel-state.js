/** How the person left the panels: kept at the server for them alone, so that they find them so on another device too. */

import { effect } from "./vendor/modules.js";
import { act, get, Problem } from "./api.js";
import { ofTenant, session, view, where } from "./store.js";

/** What narrows a panel, and not the one thing that was looked at; the server keeps no other. */
const FILTERS = ["dimension", "gate", "origin", "property", "source", "stage", "state", "status", "step", "verdict"];
const VALUE = /^[A-Za-z][A-Za-z0-9._:-]{0,99}$/;
const REST_MILLISECONDS = 1000;

/** @type {Record<string, Record<string, string>>} */
let filters = {};
let known = "";
/** Whether what was kept could not be read: then nothing is put in its place. */
let unread = false;

/** The filters with which the person left a panel. @param {string} panel */
export const filtersOf = (panel) => filters[panel] ?? {};

const isHere = () => Boolean(session.value?.registered && session.value.roles.length);

/** Read how the panels were left; the panel that was open last, if any was. @returns {Promise<string>} */
export async function loadPanelState() {
  if (!isHere()) return "";
  let kept;
  try {
    kept = await get(ofTenant("/workspace/panels"));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    unread = true; // no reason to keep anybody out
    return "";
  }
  filters = kept.filters;
  known = JSON.stringify([kept.mode, kept.panel, kept.filters]);
  if (kept.mode) view.value = kept.mode;
  return kept.panel;
}

/** Keep it from now on, whenever the person has come to rest. */
export function keepPanelState() {
  let timer = 0;
  effect(() => {
    const { panel, params } = where.value;
    const mode = view.value;
    const narrowed = Object.entries(params).filter(([name, value]) => FILTERS.includes(name) && VALUE.test(value));
    filters = { ...filters, [panel]: Object.fromEntries(narrowed) };
    clearTimeout(timer);
    timer = setTimeout(() => send(mode, panel), REST_MILLISECONDS);
  });
}

/** @param {string} mode @param {string} panel */
async function send(mode, panel) {
  const now = JSON.stringify([mode, panel, filters]);
  if (unread || !isHere() || now === known) return;
  try {
    await act(ofTenant("/workspace/panels"), { mode, panel, filters }, "PUT");
    known = now;
  } catch (problem) {
    // A view that was not kept harms nobody: the next one is.
    if (!(problem instanceof Problem)) throw problem;
  }
}
