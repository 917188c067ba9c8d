/** What the keys do, wherever on the page they are pressed. */

import { useLayoutEffect, useRef } from "./vendor/modules.js";

/** @param {KeyboardEvent} event @returns {boolean} whether it is for a field that is written in, or for the browser */
export function meantForText(event) {
  const written = event.target instanceof Element && event.target.matches("input:not([type=radio]), textarea, select");
  return written || event.ctrlKey || event.metaKey || event.altKey;
}

/**
 * Hear every key for as long as the component is shown. What is shown is what is acted on: a key that is pressed as
 * soon as something appears finds the handler that was drawn with it.
 *
 * @param {(event: KeyboardEvent) => void} onKey
 */
export function useKeys(onKey) {
  const handler = useRef(onKey);
  handler.current = onKey;
  useLayoutEffect(() => {
    const hear = (event) => handler.current(event);
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, []);
}
