#!/usr/bin/env python3
"""Print every Python requirement of pyproject.toml: to build, to run, to develop."""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT = tomllib.loads(Path("pyproject.toml").read_text())

requirements = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *PROJECT["project"]["optional-dependencies"]["dev"],
]
print(" ".join(requirements))
