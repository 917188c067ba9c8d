#!/bin/sh
# Install the runtime into a virtual environment: what deploy/requirements.lock says, checked by hash, and nothing that
# is only for development. Usage: install.sh SOURCE TARGET. `uv` must be on the PATH. The Containerfile runs it, and so
# does a test in a plain folder.
set -eu
source=$(cd "$1" && pwd)
target=$2
python3 -m venv --without-pip "$target"
uv pip install --quiet --python "$target/bin/python" --no-deps --require-hashes --requirement "$source/deploy/requirements.lock"
uv pip install --quiet --python "$target/bin/python" --no-deps --no-build-isolation "$source"
# Dagster's chart starts its webserver by this name, and has no value for another: what it starts is the one that refuses
# other sites' pages.
rm "$target/bin/dagster-webserver"
printf '#!/bin/sh\nexec "%s" -m tenant_pipeline.cli.dagster_ui "$@"\n' "$target/bin/python" >"$target/bin/dagster-webserver"
chmod 755 "$target/bin/dagster-webserver"
