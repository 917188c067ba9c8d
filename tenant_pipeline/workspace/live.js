/** The live log: server-sent events, gone on with from where it was cut off. */

import { changes, events, logIsOpen, lookWhoIsHere, ofTenant } from "./store.js";

const KEPT = 500;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;

/**
 * Listen until told to stop, while somebody looks at the window.
 *
 * A browser has six connections to a server that speaks HTTP/1.1, and each window that listens holds one for good. What
 * has happened meanwhile is told when somebody looks again.
 */
export function listen() {
  /** @type {EventSource | undefined} */
  let source;
  let last = "";
  let wait = FIRST_WAIT;
  let timer = 0;
  const open = () => {
    const stream = new EventSource(ofTenant(last ? `/events?after=${last}` : "/events"));
    source = stream;
    stream.onopen = () => {
      // Where the log begins with the newest, nobody tells what it has missed.
      if (!logIsOpen.value) changes.value += 1;
      logIsOpen.value = true;
      wait = FIRST_WAIT;
    };
    stream.onerror = () => {
      logIsOpen.value = false;
      if (stream.readyState !== EventSource.CLOSED) return;
      // A browser tries again where a connection ends, but never after an answer that is no log.
      timer = setTimeout(open, wait * (0.5 + Math.random()));
      wait = Math.min(wait * 2, LONGEST_WAIT);
      lookWhoIsHere();
    };
    stream.onmessage = (message) => {
      last = message.lastEventId;
      const event = JSON.parse(message.data);
      events.value = [{ ...event, number: Number(last) }, ...events.value].slice(0, KEPT);
      changes.value += 1;
    };
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
  };
  const look = () => {
    close();
    if (!document.hidden) open();
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    close();
  };
}
