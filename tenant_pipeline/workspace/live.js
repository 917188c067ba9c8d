/** The live log: server-sent events, which the browser resumes where it was cut off. */

import { changes, connected, events, ofTenant } from "./store.js";

const KEPT = 500;

/** Listen until told to stop. */
export function listen() {
  const source = new EventSource(ofTenant("/events"));
  source.onopen = () => (connected.value = true);
  source.onerror = () => (connected.value = false);
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    events.value = [{ ...event, number: Number(message.lastEventId) }, ...events.value].slice(0, KEPT);
    changes.value += 1;
  };
  return () => source.close();
}
