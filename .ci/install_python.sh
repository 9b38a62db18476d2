#!/usr/bin/env bash
# install_python.sh PYTHON VENV: a virtual environment with all requirements and pixpress, in place.
# Requirements are installed anew only when pyproject.toml or the interpreter changes.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$1" venv="$2"
stamp="$("$python" -VV) $(sha256sum <pyproject.toml)"
if [ ! -x "$venv/bin/python" ] || [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/python" .ci/list_requirements.py >"$venv/requirements.txt"
  "$venv/bin/pip" install -qq --disable-pip-version-check -r "$venv/requirements.txt"
  echo "$stamp" >"$venv/stamp"
fi
if command -v ccache >/dev/null; then export CC="ccache gcc" CXX="ccache g++"; fi
"$venv/bin/pip" install -qq --disable-pip-version-check --no-build-isolation --no-deps -e .
