/** The marketplace: what the tenant shows of its live release, on which terms, and what others show of theirs. */

import { html, useState } from "../vendor/modules.js";
import { act } from "../api.js";
import { moment, number } from "../dates.js";
import { label, named, statusWord, t } from "../language.js";
import { useResource } from "../resource.js";
import { may, me, ofTenant, PLATFORM_ROLES } from "../store.js";
import { Badge } from "./badge.js";
import { Deed } from "./done.js";
import { Folded } from "./folded.js";
import { Loaded } from "./loaded.js";

const ASKING = ["contributor", "reviewer", "tenant-admin", "platform-governance"];
const WITHDRAWING = ["tenant-admin", ...PLATFORM_ROLES];
/** @type {Record<string, string>} */
const VISIBILITY = { private: "seenPrivate", partners: "seenPartners", public: "seenPublic" };
/** @type {Record<string, string>} */
const SCOPE = { none: "sharesNone", listing: "sharesListing", read: "sharesRead" };

/** @param {Record<string, number>} counts @param {(id: string) => string} called */
const counted = (counts, called) => Object.entries(counts).map(([id, count]) => `${called(id)} ${number(count)}`).join(" · ");

function Listing({ listing }) {
  return html`
    <article class="card wide">
      <h3>${named(listing.title)} <span class="quiet">${listing.domain}</span> ${listing.version}</h3>
      <p>
        ${t(VISIBILITY[listing.visibility])} · ${t(SCOPE[listing.share_scope])}${listing.resell && ` · ${t("resell")}`}
        <span class="quiet"> · ${moment(listing.listed_at)}</span>
      </p>
      ${listing.entities !== null &&
      html`<p>${number(listing.entities)} ${t("items")}: ${counted(listing.types, (id) => label("types", id))}</p>
        <p class="quiet">${counted(listing.languages, (id) => id)}${listing.rights.length > 0 && ` · ${listing.rights.join("; ")}`}</p>
        <p>${Object.entries(listing.coverage).map(([dimension, band]) => html`${label("coverage_dimensions", dimension)} <${Badge} status=${band} /> `)}</p>`}
      ${listing.sample.length > 0 && html`<p>${listing.sample.map((each) => each.label).join(" · ")}</p>`}
    </article>
  `;
}

function Asking() {
  const [visibility, setVisibility] = useState("private");
  const send = (form) =>
    act(ofTenant("/listing"), {
      visibility,
      share_scope: visibility === "private" ? "none" : form.get("share_scope"),
      resell: form.get("resell") === "on",
      reason: form.get("reason"),
    });
  return html`
    <${Deed} legend=${t("askListing")} button=${t("askListing")} send=${send}>
      <label>${t("visibility")}<select value=${visibility} onChange=${(event) => setVisibility(event.target.value)}>
        ${Object.entries(VISIBILITY).map(([id, word]) => html`<option value=${id}>${t(word)}</option>`)}
      </select></label>
      ${visibility !== "private" &&
      html`<label>${t("shareScope")}<select name="share_scope">${Object.entries(SCOPE).map(([id, word]) => html`<option value=${id}>${t(word)}</option>`)}</select></label>
        <label class="inline"><input type="checkbox" name="resell" /> ${t("resell")}</label>`}
    <//>
  `;
}

function Others() {
  const all = useResource(ofTenant("/listings"));
  return html`
    <${Loaded} of=${all}>
      ${({ listings }) => {
        const others = listings.filter((each) => each.tenant !== me().tenant);
        return html`
          ${!others.length && html`<p class="quiet">${t("none")}</p>`}
          <div class="cards">${others.map((each) => html`<${Listing} key=${each.tenant} listing=${each} />`)}</div>
        `;
      }}
    <//>
  `;
}

/** @param {{live: boolean}} properties whether there is a release that a listing could show */
export function Marketplace({ live }) {
  const own = useResource(ofTenant("/listing"));
  const withdraw = (form) => act(ofTenant("/listing"), { reason: form.get("reason") }, "DELETE");
  return html`
    <h2>${t("marketplace")}</h2>
    <${Loaded} of=${own}>
      ${({ listing, history }) => html`
        ${listing ? html`<div class="cards"><${Listing} listing=${listing} /></div>` : html`<p class="quiet">${t("notListed")}</p>`}
        ${listing && may(...WITHDRAWING) &&
        html`<details><summary>${t("takeDown")}</summary><${Deed} legend=${t("takeDown")} button=${t("takeDown")} kind="danger" send=${withdraw} /></details>`}
        ${live && may(...ASKING) && html`<details><summary>${t("askListing")}</summary><${Asking} /></details>`}
        ${history.length > 0 && html`<ol>${history.map((each) => html`<li>${moment(each.at)} · ${statusWord(each.step)} · ${each.person} ${each.reason}</li>`)}</ol>`}
      `}
    <//>
    <${Folded} title=${t("listingsOfOthers")}>${() => html`<${Others} />`}<//>
  `;
}
