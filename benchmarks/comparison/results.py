"""What a run found: plain data that is kept as JSON beside the page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

OURS = "pixpress"


@dataclass
class Curve:
    """The sweep of one contender: for each quality and image, bytes and scores by metric."""

    qualities: list[int]
    sizes_bytes: list[list[int]]  # [quality][image]
    scores: dict[str, list[list[float]]]  # metric: [quality][image]


@dataclass
class Row:
    """One contender at one task."""

    library: str
    effort: str
    curve: Curve | None = None
    quality: int | None = None  # Of the rounds.
    seconds: list[float] = field(default_factory=list)
    round_bytes: int = 0
    differs: str = ""  # For lossless tasks: whose pixels changed.
    growth_bytes: int | None = None

    @property
    def label(self) -> str:
        return self.library if self.effort == "default" else f"{self.library}, {self.effort}"

    @property
    def is_ours(self) -> bool:
        return self.library == OURS


@dataclass
class Found:
    """One task by all contenders."""

    name: str
    format: str
    is_lossless: bool
    material: str
    round_images: int
    round_megapixels: float
    input_bytes: int
    sweep_images: int
    sweep_megapixels: float
    rows: list[Row] = field(default_factory=list)


@dataclass
class Results:
    """A whole run."""

    facts: dict[str, str]  # Machine, date, command, versions.
    libraries: dict[str, dict[str, str]]  # Name: version and threads.
    missing: list[str]
    metrics: dict[str, str]
    memory_megapixels: float
    rounds: int
    workers: int
    sweep_side_px: int
    found: list[Found] = field(default_factory=list)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), separators=(",", ":")) + "\n")


def found_of(plain: dict[str, Any]) -> Found:
    """Return a task of what ``asdict`` made of it."""
    rows = [{**row, "curve": row["curve"] and Curve(**row["curve"])} for row in plain["rows"]]
    return Found(**{**plain, "rows": [Row(**row) for row in rows]})


def load(path: Path) -> Results:
    """Return what ``Results.save`` wrote."""
    plain: dict[str, Any] = json.loads(path.read_text())
    return Results(**{**plain, "found": [found_of(each) for each in plain["found"]]})
