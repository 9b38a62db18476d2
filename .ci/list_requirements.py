"""Print every Python requirement of pyproject.toml: to build, to run, to develop."""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())

print(*PROJECT["build-system"]["requires"], sep="\n")
print(*PROJECT["project"]["dependencies"], sep="\n")
print(*PROJECT["project"]["optional-dependencies"]["dev"], sep="\n")
