/** What is read from the API and kept up to date: read again when the address, the language or anything at the server changes. */

import { useEffect, useState } from "./vendor/modules.js";
import { get } from "./api.js";
import { changes, language } from "./store.js";

const SETTLE_MILLISECONDS = 250;

/**
 * @param {string | null} path where it is read; null for nothing yet
 * @returns {{data: any, problem: any, again: () => void}}
 */
export function useResource(path) {
  const [state, setState] = useState(/** @type {{path: string | null, data: any, problem: any}} */ ({ path: null, data: null, problem: null }));
  const [count, setCount] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    let wanted = true;
    const read = () =>
      get(path, { "Accept-Language": language.value }).then(
        (data) => wanted && setState({ path, data, problem: null }),
        (problem) => wanted && setState((before) => ({ ...before, path, problem })),
      );
    // Many events at once are one change to what is shown.
    const timer = setTimeout(read, state.path === path ? SETTLE_MILLISECONDS : 0);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [path, language.value, changes.value, count]);
  const current = state.path === path;
  return {
    data: current ? state.data : null,
    problem: current ? state.problem : null,
    again: () => setCount((before) => before + 1),
  };
}
