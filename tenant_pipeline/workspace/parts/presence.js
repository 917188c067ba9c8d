/** Who is here, and what of a form somebody else is at. */

import { html, useLayoutEffect, useRef, useState } from "../vendor/modules.js";
import { label, t } from "../language.js";
import { attend, here, useSharedText } from "../shared.js";
import { merged, moved } from "../texts.js";

/** So many letters of a text are well within what is sent at once, also in Thai. */
const LONGEST = 50_000;

export function Presence() {
  const others = here.value.filter((each) => !each.mine && each.person);
  if (!others.length) return null;
  return html`
    <ul class="presence" aria-label=${t("who")}>
      ${others.map(
        ({ id, person, colour, panel }) => html`
          <li key=${id} style=${{ background: colour }} title=${`${person} · ${label("workspace_panels", panel)}`}>
            <span aria-hidden="true">${person.slice(0, 2)}</span><span class="wa-visually-hidden">${person}</span>
          </li>
        `,
      )}
    </ul>
  `;
}

/** Who else is at this field, if anybody. @param {string} field */
export const editorOf = (field) => here.value.find((each) => !each.mine && each.field === field);

/**
 * A text that several people may write in at once.
 *
 * Whoever is in it stays where they are when others change it. While letters are being composed nothing is changed under
 * them: what came meanwhile is merged with what was composed.
 * @param {{field: string, name: string, label: string, help?: string, rows?: number, disabled?: boolean, longest?: number, within?: string, wrote?: () => void}} properties
 *   `within` is the field that one is at before and after, `wrote` is told when somebody writes here
 */
export function SharedText({ field, name, label: called, help, rows, disabled, longest = LONGEST, within = "", wrote }) {
  const [text, put, writable] = useSharedText(field, name);
  const write = (said) => {
    put(said);
    wrote?.();
  };
  /** While letters are composed: the text they are composed in, and each that others have made of it since. */
  const [held, setHeld] = useState(/** @type {string[] | null} */ (null));
  if (held && held.at(-1) !== text) held.push(text);
  const box = useRef(/** @type {any} */ (null));
  const other = editorOf(`${field}/${name}`);
  const shown = box.current && box.current === document.activeElement ? box.current : null;
  const before = shown && { value: shown.value, start: shown.selectionStart, end: shown.selectionEnd };
  useLayoutEffect(() => {
    if (!shown || shown.value === before.value) return;
    shown.setSelectionRange(moved(before.start, before.value, shown.value), moved(before.end, before.value, shown.value));
  });
  const properties = {
    ref: box,
    name,
    maxlength: longest,
    value: held ? box.current.value : text,
    disabled: disabled || !writable,
    class: other ? "editing" : "",
    style: other ? { "--editor": other.colour } : {},
    onInput: (event) => !held && write(event.target.value),
    // In lower case: an element has no property by which Preact would find these names.
    oncompositionstart: (event) => setHeld([event.target.value]),
    oncompositionend: ({ target }) => {
      const texts = held ?? [text];
      texts.slice(1).forEach((theirs, at) => {
        const mine = target.value;
        const place = target.selectionStart;
        target.value = merged(texts[at], mine, theirs);
        target.setSelectionRange(moved(place, mine, target.value), moved(place, mine, target.value));
      });
      write(target.value);
      setHeld(null);
    },
    onFocus: () => attend(`${field}/${name}`),
    onBlur: () => attend(within),
  };
  return html`
    <label>
      ${called}${other && html`<span class="help">${other.person} …</span>`}
      ${rows ? html`<textarea rows=${rows} ...${properties}></textarea>` : html`<input ...${properties} />`}
      ${help && html`<span class="help">${help}</span>`}
    </label>
  `;
}
