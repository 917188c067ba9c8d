/**
 * What is read from the API and kept up to date: read again when the address, the language or anything at the server
 * changes, and in a while where it could not be read.
 */

import { useEffect, useState } from "./vendor/modules.js";
import { get, passes } from "./api.js";
import { changes, language } from "./store.js";

const SETTLE_MILLISECONDS = 250;
const LONGEST_SETTLE_MILLISECONDS = 4000;

/**
 * Reads what is at an address, and once more where something has changed since the last reading was begun.
 *
 * A reading that goes on is let finish: events that keep coming would otherwise leave nothing to be seen. Many events at
 * once are one change to what is shown, and the longer they keep coming, the more of them.
 * @param {string} path @param {(change: any) => void} show
 * @returns {() => void} what ends it
 */
function reading(path, show) {
  let wanted = true;
  let timer = 0;
  let begun = changes.peek();
  let busy = false;
  let failed = false;
  let settle = SETTLE_MILLISECONDS;
  let ended = 0;
  const read = async () => {
    timer = 0;
    begun = changes.peek();
    busy = true;
    failed = false;
    try {
      const data = await get(path, { "Accept-Language": language.value });
      if (wanted) show({ path, data, problem: null });
    } catch (problem) {
      failed = passes(problem);
      if (wanted) show((before) => (before.path === path ? { ...before, problem } : { path, data: null, problem }));
    }
    busy = false;
    ended = Date.now();
    later();
  };
  const later = () => {
    if (!wanted || busy || timer || (changes.peek() === begun && !failed)) return;
    settle = Date.now() - ended < settle ? Math.min(2 * settle, LONGEST_SETTLE_MILLISECONDS) : SETTLE_MILLISECONDS;
    timer = setTimeout(read, failed ? LONGEST_SETTLE_MILLISECONDS : settle);
  };
  read();
  const unsubscribe = changes.subscribe(later);
  return () => {
    wanted = false;
    clearTimeout(timer);
    unsubscribe();
  };
}

/**
 * @param {string | null} path where it is read; null for nothing yet
 * @returns {{data: any, problem: any}}
 */
export function useResource(path) {
  const [state, setState] = useState(/** @type {{path: string | null, data: any, problem: any}} */ ({ path: null, data: null, problem: null }));
  useEffect(() => (path === null ? undefined : reading(path, setState)), [path, language.value]);
  const current = state.path === path;
  return { data: current ? state.data : null, problem: current ? state.problem : null };
}
