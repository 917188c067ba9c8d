/** Places on a map that needs no tiles of anybody's: coastlines and borders are shipped, and drawn here. */

import { html, leaflet, useEffect, useRef } from "../vendor/modules.js";
import { number } from "../dates.js";
import { named, t } from "../language.js";
import { useResource } from "../resource.js";
import { ofTenant } from "../store.js";

/** @type {[number, number][]} */
const THAILAND = [[5.5, 97.3], [20.5, 105.7]];

/** @type {Promise<any> | null} */
let outlines = null;

export function PlacesMap() {
  const { data } = useResource(ofTenant("/places"));
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const drawn = useRef(/** @type {{map: leaflet.Map, places: leaflet.LayerGroup, fitted: boolean} | null} */ (null));
  useEffect(() => {
    const map = leaflet.map(/** @type {HTMLElement} */ (element.current), { attributionControl: false, zoomSnap: 0.5 }).fitBounds(THAILAND);
    const places = leaflet.layerGroup().addTo(map);
    drawn.current = { map, places, fitted: false };
    outlines ??= fetch("/static/vendor/outlines.geojson").then((answer) => answer.json());
    outlines.then((shapes) => {
      if (drawn.current?.map !== map) return;
      leaflet.geoJSON(shapes, { interactive: false, style: { className: "outline" } }).addTo(map).bringToBack();
    });
    return () => {
      drawn.current = null;
      map.remove();
    };
  }, []);
  useEffect(() => {
    if (!data || !drawn.current) return;
    const { map, places } = drawn.current;
    places.clearLayers();
    const points = data.features.map((feature) => {
      const [east, north] = feature.geometry.coordinates;
      const called = document.createElement("span");
      called.textContent = named(feature.properties.names) || Object.values(feature.properties.names)[0] || feature.id;
      leaflet.circleMarker([north, east], { radius: 6, color: "#0b5d66", fillOpacity: 0.8 }).bindTooltip(called).addTo(places);
      return [north, east];
    });
    if (!points.length || drawn.current.fitted) return; // from then on it is where the person has moved it
    map.fitBounds(leaflet.latLngBounds(points).pad(0.3), { maxZoom: 11 });
    drawn.current.fitted = true;
  }, [data]);
  return html`
    <div class="map" ref=${element} role="application" aria-label=${t("places")}></div>
    <p class="quiet">${data && (data.features.length ? `${number(data.features.length)} ${t("items")}${data.cut ? ` · ${t("tooMany")}` : ""}` : t("nothing"))}</p>
  `;
}
