#!/usr/bin/env bash
# Puts tenant_pipeline/workspace/vendor together anew from the versions in package-lock.json: the same bytes each time.
# Needs Node; neither installing the package nor running it does.
set -euo pipefail
cd "$(dirname "$0")"
to=../../tenant_pipeline/workspace/vendor
npm ci --silent --no-audit --no-fund
rm -rf "$to"
mkdir -p "$to/fonts"
node_modules/.bin/esbuild entry.js --bundle --format=esm --minify --target=es2022 --legal-comments=none \
  --outfile="$to/modules.js" --log-level=warning
node_modules/.bin/esbuild node_modules/@awesome.me/webawesome/dist-cdn/styles/webawesome.css --bundle --minify \
  --outfile="$to/webawesome.css" --log-level=warning
node_modules/.bin/esbuild node_modules/leaflet/dist/leaflet.css --bundle --minify --loader:.png=dataurl \
  --outfile="$to/leaflet.css" --log-level=warning
node outlines.js > "$to/outlines.geojson"
# Thai and Chinese only, and of no other letters: so they can come before the reader's own font, which may lack them.
for sheet in noto-sans-thai/thai-400 noto-sans-thai/thai-700 noto-sans-sc/400; do
  sed -e 's#\./files/#fonts/#g' -e "s#, url([^)]*\.woff) format('woff')##" "node_modules/@fontsource/$sheet.css"
  echo
done | sed -e '/^\/\* noto-sans-sc-[a-z]/,/^}/d' -e '/noto-sans-thai.*woff2/a\  unicode-range: U+0E01-0E5B,U+200C-200D,U+25CC;' > "$to/fonts.css"
grep -o 'fonts/[a-z0-9-]*\.woff2' "$to/fonts.css" | sort -u | while read -r font; do
  cp node_modules/@fontsource/*/files/"$(basename "$font")" "$to/fonts/"
done
{
  echo "What lies here is others' work, put together by scripts/vendor/build.sh. Each under its own licence:"
  for package in preact @preact/signals htm yjs y-protocols lib0 leaflet @awesome.me/webawesome world-atlas \
    @fontsource/noto-sans-thai @fontsource/noto-sans-sc; do
    printf '\n== %s %s (%s)\n\n' "$package" "$(node -p "require('./node_modules/$package/package.json').version")" \
      "$(node -p "require('./node_modules/$package/package.json').license")"
    cat node_modules/$package/LICENSE* 2>/dev/null || true
  done
} > "$to/LICENCES.txt"
(cd "$to" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
