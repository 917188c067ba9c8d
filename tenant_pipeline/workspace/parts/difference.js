/** What a request for a release, or for going back to one, would change for readers: counts, and the entities page by page. */

import { html, useState } from "../vendor/modules.js";
import { number } from "../dates.js";
import { label, t } from "../language.js";
import { useResource } from "../resource.js";
import { ofTenant } from "../store.js";
import { Loaded } from "./loaded.js";

/** @type {Record<string, string>} */
const SIGNS = { added: "+", changed: "~", removed: "−" };

/** Among the properties that changed: what the entity is. */
const TYPE = "@type";

/** A value, and from when and until when it holds where that is said.
 * @param {{value: string, valid_from: string, valid_to: string}} one */
const held = ({ value, valid_from: since, valid_to: until }) => (since || until ? `${value} [${since || "…"} – ${until || "…"}]` : value);

/** @param {string} property @param {{value: string, valid_from: string, valid_to: string}[]} values */
const said = (property, values) => values.map((one) => (property === TYPE ? label("types", one.value) : held(one))).join("; ");

/** Whether what is asked for changes what readers see: not where a release that is live is approved again.
 * @param {{operation: string, content: Record<string, any>}} request */
export const isCompared = ({ operation, content }) => operation === "rollback" || (operation === "release" && !content.after_entry);

/** @param {{request: {operation: string, content: Record<string, any>}}} properties */
export function Difference({ request: { operation, content } }) {
  const before = operation === "rollback" ? content.from : content.base;
  const [pages, setPages] = useState([""]);
  const asked = new URLSearchParams({ after: content.release, beyond: pages[0], limit: "100" });
  if (before) asked.set("before", before);
  const found = useResource(ofTenant(`/releases/difference?${asked}`));
  const title = before ? t("differenceToLive") : t("firstRelease");
  return html`
    <h2>${title}</h2>
    <${Loaded} of=${found}>
      ${({ counts, entities, next }) => html`
        <p>${Object.entries(counts).map(([name, count]) => `${name.replaceAll("_", " ")} ${number(count)}`).join(" · ")}</p>
        <div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
          <thead><tr><th></th><th>${t("name")}</th><th>${t("propertyName")}</th><th>${t("previous")}</th><th>${t("next")}</th></tr></thead>
          <tbody>
            ${entities.flatMap((entity) => entity.properties.map((change) => html`<tr>
              <td><span aria-hidden="true">${SIGNS[entity.change]}</span><span class="wa-visually-hidden">${t(entity.change)}</span></td>
              <td>${entity.label}</td><td>${change.property === TYPE ? t("entityType") : label("properties", change.property)}</td>
              <td>${said(change.property, change.before)}</td><td>${said(change.property, change.after)}</td>
            </tr>`))}
          </tbody>
        </table></div>
        <div class="buttons">
          ${pages.length > 1 && html`<button class="plain" onClick=${() => setPages(pages.slice(1))}>${t("pageBefore")}</button>`}
          ${next && html`<button class="plain" onClick=${() => setPages([next, ...pages])}>${t("pageAfter")}</button>`}
        </div>
      `}
    <//>
  `;
}
