/** The tenants in which the person holds a role of the platform. */

import { html } from "../vendor/modules.js";
import { moment } from "../dates.js";
import { label, named, t } from "../language.js";
import { useResource } from "../resource.js";
import { may, ofTenant, PLATFORM_ROLES } from "../store.js";
import { Loaded } from "./loaded.js";

export function Governed() {
  const found = useResource(may(...PLATFORM_ROLES) ? ofTenant("/governance/tenants?limit=500") : null);
  if (!may(...PLATFORM_ROLES)) return null;
  return html`
    <h2>${t("governed")}</h2>
    <${Loaded} of=${found}>
      ${({ tenants, next }) => html`
        <div class="scroll" tabindex="0" role="region" aria-label=${t("governed")}><table>
          <thead><tr><th>${t("name")}</th><th>${t("slug")}</th><th>${t("state")}</th><th>${t("tier")}</th><th>${t("role")}</th><th>${t("liveSince")}</th></tr></thead>
          <tbody>
            ${tenants.map(
              (each) => html`<tr key=${each.id}>
                <td>${named(each.name)}</td>
                <td><code>${each.id}</code></td>
                <td><span class=${`badge state-${each.status}`}>${label("states", each.status)}</span></td>
                <td>${each.tier}</td>
                <td>${each.roles.map((role) => label("tenant_roles", role)).join(" / ")}</td>
                <td>${moment(each.go_live_at)}</td>
              </tr>`,
            )}
          </tbody>
        </table></div>
        ${next && html`<p class="quiet">${t("tooMany")}</p>`}
        ${may("platform-governance") && html`<p><a href=${ofTenant("/governance/report")} target="_blank" rel="noreferrer">${t("governanceReport")}</a></p>`}
      `}
    <//>
  `;
}
