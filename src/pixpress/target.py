"""Targets of quality: the name of a metric and a score."""

from __future__ import annotations

import re

from .errors import expected

_METRIC = "ssimulacra2"


def target_score(value: str | None) -> float:
    """The score that "ssimulacra2:80" asks for; 0.0 for None."""
    if value is None:
        return 0.0
    found = re.fullmatch(rf"{_METRIC}:(\d{{1,3}}(?:\.\d+)?)", value) if type(value) is str else None
    score = float(found[1]) if found else 0.0
    if not 1 <= score <= 100:
        raise expected(f'"{_METRIC}:" and a score from 1 to 100', "target", value)
    return score
