#!/usr/bin/env bash
# Install those packages of packages-debian.txt that are missing; do nothing where all are there.
# Debian's own Python needs two packages more; a Python built from source has both parts.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${1:-python3}"
mapfile -t wanted <packages-debian.txt
if ! command -v "$python" >/dev/null; then wanted+=(python3); fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then wanted+=(python3-venv); fi
if ! "$python" -c 'import sysconfig, pathlib, sys
sys.exit(not (pathlib.Path(sysconfig.get_path("include")) / "Python.h").exists())' 2>/dev/null; then
  wanted+=(python3-dev)
fi
missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  if [ "$status" != "install ok installed" ]; then missing+=("$package"); fi
done
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi
echo "installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
