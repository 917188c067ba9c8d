/** Who is here, and what of a form somebody else is at. */

import { html } from "../vendor/modules.js";
import { label, t } from "../language.js";
import { attend, here, useSharedText } from "../shared.js";

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
 * @param {{field: string, name: string, label: string, help?: string, rows?: number, disabled?: boolean}} properties
 */
export function SharedText({ field, name, label: called, help, rows, disabled }) {
  const [text, write, writable] = useSharedText(field, name);
  const other = editorOf(`${field}/${name}`);
  const properties = {
    name,
    value: text,
    disabled: disabled || !writable,
    class: other ? "editing" : "",
    style: other ? { "--editor": other.colour } : {},
    onInput: (event) => write(event.target.value),
    onFocus: () => attend(`${field}/${name}`),
    onBlur: () => attend(""),
  };
  return html`
    <label>
      ${called}${other && html`<span class="help">${other.person} …</span>`}
      ${rows ? html`<textarea rows=${rows} ...${properties}></textarea>` : html`<input ...${properties} />`}
      ${help && html`<span class="help">${help}</span>`}
    </label>
  `;
}
