/**
 * The shared document: one for the tenant, edited by everybody who is here, merged without asking, kept by the server.
 *
 * The wire is y-protocols' own: message 0 is sync, 1 is awareness. What is typed without a connection is merged when it
 * is back, also where the session has ended meanwhile. Decisions and signatures are never in here.
 */

import { awareness as presence, decoding, encoding, signal, sync, useEffect, useState, Y } from "./vendor/modules.js";
import { t } from "./language.js";
import { documentIsOpen, lookWhoIsHere, me, ofTenant, session, tell, where } from "./store.js";
import { common } from "./texts.js";
import { forgetUnsent, keepUnsent, takeUnsent } from "./unsent.js";

const SYNC = 0;
const AWARENESS = 1;
const ALL_OF_IT = 1;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
/** It is closed with these where the session has ended, or is another person's or another tenant's by now. */
const PERHAPS_ANOTHERS = [4400, 4401, 4404];
const NOT_ALLOWED = 4403;
/** The frame, and the document, would be too long. */
const TOO_LONG = [1009, 4413];
const COLOURS = ["#0b5d66", "#8a3ffc", "#b3261e", "#14693a", "#8a5300", "#1f4fbf", "#9f1853"];

/** Everybody who is here, one entry an open window. @type {{value: any[]}} */
export const here = signal([]);

/**
 * `known` is how much of the document the server had when it was last come to, `edited` whether this window has written since.
 * @type {null | {tenant: string, person: string, document: any, awareness: any, socket: WebSocket | null, known: Uint8Array | undefined, edited: boolean, wait: number, ended: boolean, timer: any}}
 */
let joined = null;
/** Counts up when another document is begun, so that what is bound to the old one is bound anew. */
const generation = signal(0);
/** Whether the document has come from the server: before that nothing is written into it. */
const hasCome = signal(false);

/** @param {number} type @param {(encoder: any) => void} write */
function message(type, write) {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, type);
  write(encoder);
  return encoding.toUint8Array(encoder);
}

/** @param {any} to @param {Uint8Array} bytes */
function send(to, bytes) {
  if (to.socket?.readyState === WebSocket.OPEN) to.socket.send(bytes);
}

/** @param {string} person */
const colourOf = (person) =>
  COLOURS[[...person].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % COLOURS.length];

/** Begin to edit the tenant's document together, after so many milliseconds and some more or less.
 * @param {string} tenant @param {string} person @param {number} [wait] */
export function join(tenant, person, wait = 0) {
  const document = new Y.Doc();
  const awareness = new presence.Awareness(document);
  const joining = { tenant, person, document, awareness, socket: null, known: undefined, edited: false, wait: Math.max(wait, FIRST_WAIT), ended: false, timer: null };
  joined = joining;
  hasCome.value = false;
  document.on("update", (update, origin) => {
    if (origin === joining) return;
    joining.edited = true;
    send(joining, message(SYNC, (encoder) => sync.writeUpdate(encoder, update)));
  });
  joining.awareness.on("change", () => {
    here.value = [...joining.awareness.getStates()].map(([id, state]) => ({ id, mine: id === document.clientID, ...state }));
  });
  joining.awareness.on("update", ({ added, updated, removed }, origin) => {
    if (origin === joining) return;
    const update = presence.encodeAwarenessUpdate(joining.awareness, [...added, ...updated, ...removed]);
    send(joining, message(AWARENESS, (encoder) => encoding.writeVarUint8Array(encoder, update)));
  });
  joining.awareness.setLocalState({ person, colour: colourOf(person), panel: where.value.panel, field: "" });
  if (wait) connectLater(joining);
  else connect(joining);
  generation.value += 1;
}

/** Leave the document. What is perhaps not sent yet is lost with it, or kept until the person is back.
 * @param {{keeping?: boolean}} [how] */
export function leave({ keeping = false } = {}) {
  if (!joined) return;
  const { tenant, person, document, known, edited } = joined;
  if (keeping && edited && !documentIsOpen.value) keepUnsent(tenant, person, Y.encodeStateAsUpdate(document, known));
  joined.ended = true;
  clearTimeout(joined.timer);
  presence.removeAwarenessStates(joined.awareness, [joined.document.clientID], "leaving");
  joined.socket?.close();
  joined.awareness.destroy();
  joined = null;
  here.value = [];
}

/** Leave the document for good, as whoever signs out: nothing of it is kept. @param {string} tenant @param {string} person */
export function leaveForGood(tenant, person) {
  leave();
  forgetUnsent(tenant, person);
}

// The browser knows sooner than the connection that the network is gone, and that it is back.
addEventListener("offline", () => joined?.socket?.close());
addEventListener("online", () => {
  if (!joined || joined.socket?.readyState !== WebSocket.CLOSED) return;
  clearTimeout(joined.timer);
  connect(joined);
});

/** @param {any} to */
function connect(to) {
  const url = new URL(ofTenant("/document"), location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  to.socket = socket;
  socket.onopen = () => {
    socket.send(message(SYNC, (encoder) => sync.writeSyncStep1(encoder, to.document)));
    const own = presence.encodeAwarenessUpdate(to.awareness, [to.document.clientID]);
    socket.send(message(AWARENESS, (encoder) => encoding.writeVarUint8Array(encoder, own)));
  };
  socket.onmessage = ({ data }) => {
    const decoder = decoding.createDecoder(new Uint8Array(data));
    const type = decoding.readVarUint(decoder);
    if (type === SYNC) {
      const asked = decoding.clone(decoder);
      if (decoding.readVarUint(asked) === sync.messageYjsSyncStep1) to.known = decoding.readVarUint8Array(asked);
      const encoder = encoding.createEncoder();
      encoding.writeVarUint(encoder, SYNC);
      if (sync.readSyncMessage(decoder, encoder, to.document, to) === ALL_OF_IT && to === joined) {
        to.wait = FIRST_WAIT;
        hasCome.value = true;
        documentIsOpen.value = true;
        to.edited = false;
        takeUnsent(to.tenant, to.person, to.document);
      }
      if (encoding.length(encoder) > 1) socket.send(encoding.toUint8Array(encoder));
    } else if (type === AWARENESS) {
      presence.applyAwarenessUpdate(to.awareness, decoding.readVarUint8Array(decoder), to);
    }
  };
  socket.onclose = ({ code, reason }) => {
    if (to.ended) return;
    documentIsOpen.value = false;
    if (PERHAPS_ANOTHERS.includes(code)) lookWhoIsHere(); // where they are still known it is tried again all the same
    if (TOO_LONG.includes(code)) {
      tell(t("documentFull"), "danger");
      to.wait = LONGEST_WAIT; // it will be refused again
    }
    if (code === NOT_ALLOWED) {
      // What was refused is in this window's copy only: begin anew from what everybody has.
      tell(reason || "not allowed", "danger");
      leave();
      join(me().tenant, me().person, to.wait);
      return;
    }
    connectLater(to);
  };
}

/** Connect after a while, and after a longer one the next time. @param {any} to */
function connectLater(to) {
  to.timer = setTimeout(() => connect(to), to.wait * (0.5 + Math.random()));
  to.wait = Math.min(to.wait * 2, LONGEST_WAIT);
}

/** Let the others see which panel and field this window is at. @param {string} field */
export function attend(field) {
  const awareness = joined?.awareness;
  const state = awareness?.getLocalState();
  if (state) awareness.setLocalState({ ...state, panel: where.value.panel, field });
}

/**
 * A persisted field of the document, as it is now and as it changes.
 * @param {string} field such as `wizard.answers`
 * @returns {{values: Record<string, any>, writable: boolean, set: (key: string, value: any) => void, remove: (key: string) => void, clear: (key: string, said: string) => void}}
 *   `writable` is whether the person's roles write the field, and it has come; else nothing that is set goes anywhere.
 *   `clear` empties a text that still says this much: one that is removed could not be begun again by the same edit
 */
export function useShared(field) {
  const map = generation.value && joined ? joined.document.getMap(field) : null;
  const [values, setValues] = useState(() => map?.toJSON() ?? {});
  useEffect(() => {
    if (!map) return undefined;
    const read = () => setValues(map.toJSON());
    read();
    map.observeDeep(read);
    return () => map.unobserveDeep(read);
  }, [map]);
  const writable = hasCome.value && (session.value?.writes.includes(field) ?? false);
  return {
    values,
    writable,
    set: (key, value) => writable && map?.set(key, value),
    remove: (key) => writable && map?.delete(key),
    clear: (key, said) => {
      const text = writable && map?.get(key);
      if (text instanceof Y.Text && text.toString() === said) text.delete(0, text.length);
    },
  };
}

/** A number for a name: 53 bits of FNV-1a, which everybody finds alike. @param {string} name */
export function numberOf(name) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return Number(hash >> 11n);
}

/**
 * Begin a text, by the same edit whoever begins it: of two that begin one without knowing of each other, neither's is lost.
 * @param {any} document @param {string} field @param {string} key
 */
function begin(document, field, key) {
  const seed = new Y.Doc();
  seed.clientID = numberOf(`${field}\n${key}`);
  seed.getMap(field).set(key, new Y.Text());
  Y.applyUpdate(document, Y.encodeStateAsUpdate(seed));
}

/**
 * A text of the document that several people may write in at once.
 * @param {string} field @param {string} key
 * @returns {[string, (text: string) => void, boolean]} the text, what writes it, and whether the person may
 */
export function useSharedText(field, key) {
  const { values, writable } = useShared(field);
  const write = (wanted) => {
    if (!joined || !writable) return;
    const map = joined.document.getMap(field);
    if (!(map.get(key) instanceof Y.Text)) begin(joined.document, field, key);
    joined.document.transact(() => {
      if (!(map.get(key) instanceof Y.Text)) map.set(key, new Y.Text()); // it was begun before, and taken away
      const text = map.get(key);
      const before = text.toString();
      const [from, end] = common(before, wanted);
      if (before.length - end > from) text.delete(from, before.length - end - from);
      if (wanted.length - end > from) text.insert(from, wanted.slice(from, wanted.length - end));
    });
  };
  return [values[key] ?? "", write, writable];
}
