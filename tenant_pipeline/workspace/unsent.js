/**
 * What a person typed without a connection and could not send before their session ended: this browser keeps it until
 * they are back in the same tenant, or sign out.
 */

import { Y } from "./vendor/modules.js";

/** @param {string} tenant @param {string} person */
const nameOf = (tenant, person) => ["unsent", tenant, person].join("|");

/** @param {string} name @returns {Uint8Array | null} */
function read(name) {
  const kept = localStorage.getItem(name);
  return kept === null ? null : Uint8Array.from(atob(kept), (letter) => letter.charCodeAt(0));
}

/** Keep an edit for the person, beside what another of their windows has kept.
 * @param {string} tenant @param {string} person @param {Uint8Array} edit */
export function keepUnsent(tenant, person, edit) {
  const name = nameOf(tenant, person);
  const before = read(name);
  const letters = Array.from(before ? Y.mergeUpdates([before, edit]) : edit, (byte) => String.fromCharCode(byte));
  try {
    localStorage.setItem(name, btoa(letters.join("")));
  } catch {
    // The browser keeps no more.
  }
}

/** @param {string} tenant @param {string} person */
export const forgetUnsent = (tenant, person) => localStorage.removeItem(nameOf(tenant, person));

/**
 * Make what was kept for the person an edit of the document, which has come from the server.
 *
 * It is kept no longer, whatever the server says of it: what is refused is not tried in another session. Nor is what
 * builds on edits that the document has not, as after a restore.
 * @param {string} tenant @param {string} person @param {any} document
 */
export function takeUnsent(tenant, person, document) {
  const edit = read(nameOf(tenant, person));
  if (!edit) return;
  forgetUnsent(tenant, person);
  const trial = new Y.Doc();
  Y.applyUpdate(trial, Y.encodeStateAsUpdate(document));
  Y.applyUpdate(trial, edit);
  if (!trial.store.pendingStructs && !trial.store.pendingDs) Y.applyUpdate(document, edit);
}
