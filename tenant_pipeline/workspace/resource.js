/** What is read from the API and kept up to date: read again when the address, the language or anything at the server changes. */

import { useEffect, useRef, useState } from "./vendor/modules.js";
import { get } from "./api.js";
import { changes, language } from "./store.js";

const SETTLE_MILLISECONDS = 250;

/**
 * Reads what is at an address, and once more where it has changed since the last reading was begun.
 *
 * A reading that goes on is let finish: events that keep coming would otherwise leave nothing to be seen. Many events at
 * once are one change to what is shown.
 * @param {string} path @param {number} version @param {(change: any) => void} show
 */
function reading(path, version, show) {
  let wanted = true;
  let timer = 0;
  let begun = version;
  let newest = version;
  let busy = false;
  const read = async () => {
    timer = 0;
    begun = newest;
    busy = true;
    try {
      const data = await get(path, { "Accept-Language": language.value });
      if (wanted) show({ path, data, problem: null });
    } catch (problem) {
      if (wanted) show((before) => (before.path === path ? { ...before, problem } : { path, data: null, problem }));
    }
    busy = false;
    later();
  };
  const later = () => {
    if (wanted && !busy && !timer && newest !== begun) timer = setTimeout(read, SETTLE_MILLISECONDS);
  };
  read();
  return {
    /** @param {number} now */
    upTo: (now) => {
      newest = now;
      later();
    },
    stop: () => {
      wanted = false;
      clearTimeout(timer);
    },
  };
}

/**
 * @param {string | null} path where it is read; null for nothing yet
 * @returns {{data: any, problem: any, again: () => void}}
 */
export function useResource(path) {
  const [state, setState] = useState(/** @type {{path: string | null, data: any, problem: any}} */ ({ path: null, data: null, problem: null }));
  const [count, setCount] = useState(0);
  const version = changes.value + count;
  const reader = useRef(/** @type {ReturnType<typeof reading> | null} */ (null));
  useEffect(() => {
    reader.current = path === null ? null : reading(path, version, setState);
    return reader.current?.stop;
  }, [path, language.value]);
  useEffect(() => reader.current?.upTo(version), [version]);
  const current = state.path === path;
  return {
    data: current ? state.data : null,
    problem: current ? state.problem : null,
    again: () => setCount((before) => before + 1),
  };
}
