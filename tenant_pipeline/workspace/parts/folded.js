/** A section that is read from the server once somebody opens it. */

import { html, useState } from "../vendor/modules.js";

/** @param {{title: string, children: any}} properties `children` is a function of nothing */
export function Folded({ title, children }) {
  const [open, setOpen] = useState(false);
  return html`
    <details onToggle=${(event) => event.target === event.currentTarget && setOpen(event.target.open)}>
      <summary><h2>${title}</h2></summary>
      ${open && children()}
    </details>
  `;
}
