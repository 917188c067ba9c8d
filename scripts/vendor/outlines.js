// The coastlines and borders around Thailand, from Natural Earth (public domain), as GeoJSON on standard output.
import { readFileSync } from "node:fs";
import { feature } from "topojson-client";

const [WEST, SOUTH, EAST, NORTH] = [88, -8, 125, 32];
const world = JSON.parse(readFileSync(new URL("node_modules/world-atlas/countries-50m.json", import.meta.url)));
const round = (point) => point.map((degree) => Math.round(degree * 1000) / 1000);
const within = (ring) => ring.some(([x, y]) => x > WEST && x < EAST && y > SOUTH && y < NORTH);
const features = [];
for (const country of feature(world, world.objects.countries).features) {
  const polygons = country.geometry.type === "Polygon" ? [country.geometry.coordinates] : country.geometry.coordinates;
  const kept = polygons.filter((rings) => within(rings[0])).map((rings) => rings.map((ring) => ring.map(round)));
  if (kept.length) {
    features.push({
      type: "Feature",
      properties: { name: country.properties.name },
      geometry: { type: "MultiPolygon", coordinates: kept },
    });
  }
}
process.stdout.write(JSON.stringify({ type: "FeatureCollection", features }));
