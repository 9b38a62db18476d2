#!/usr/bin/env bash
# other_pythons.sh PYTHON: print a command for each further Python version that runs here, and on
# standard error which versions are skipped. A pyenv shim exists for versions that are not active
# and fails, so each candidate is tried; after it the versions that pyenv has installed.
set -euo pipefail
own=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
pyenv_root=$(pyenv root 2>/dev/null || echo "${PYENV_ROOT:-$HOME/.pyenv}")
for version in 3.11 3.12 3.13; do
  if [ "$version" = "$own" ]; then continue; fi
  found=""
  for candidate in "python$version" "$pyenv_root/versions/$version".*/bin/python; do
    says=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)
    if [ "$says" = "$version" ]; then
      found="$candidate"
      break
    fi
  done
  if [ -n "$found" ]; then echo "$found"; else echo "skipped: no Python $version runs here" >&2; fi
done
