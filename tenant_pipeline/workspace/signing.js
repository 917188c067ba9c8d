/** A person's own key, with which this browser signs their decisions. It is read from a file and leaves this page never. */

import { signal } from "./vendor/modules.js";
import { me } from "./store.js";

const DOMAIN = "tenant-runtime/approval/v1";

/** The key that was chosen, held in memory until the page is left; no script reads it out again. */
export const ownKey = signal(/** @type {CryptoKey | null} */ (null));

/** Take an Ed25519 private key (PKCS #8, PEM). Rejects for anything else, and where the browser has no Ed25519.
 * @param {File} file */
export async function chooseKey(file) {
  const held = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(await file.text());
  if (!held) throw new TypeError("no private key");
  const bytes = Uint8Array.from(atob(held[1].replaceAll(/\s/g, "")), (letter) => letter.charCodeAt(0));
  ownKey.value = await crypto.subtle.importKey("pkcs8", bytes, "Ed25519", false, ["sign"]);
}

/** The signature, in base64, over exactly what is decided: what `approval bytes` prints.
 * @param {any} request @param {{decision: "approve" | "reject", role: string, reason: string}} said */
export async function signatureOver(request, said) {
  const { person, tenant } = me();
  /** @type {Record<string, string>} */
  const words = { ...said, gate: request.gate, person, request: request.id, subject_digest: request.digest, tenant };
  const sorted = Object.fromEntries(Object.keys(words).sort().map((name) => [name, words[name]]));
  const bytes = new TextEncoder().encode(`${DOMAIN}\n${JSON.stringify(sorted)}`);
  const signature = await crypto.subtle.sign("Ed25519", /** @type {CryptoKey} */ (ownKey.value), bytes);
  return btoa(String.fromCharCode(...new Uint8Array(signature)));
}
