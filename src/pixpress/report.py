"""The report of a run of the command: what was saved, what failed, and how it looks."""

from __future__ import annotations

import contextlib
import heapq
import os
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import report_page
from .cli_inputs import Work
from .errors import OptionError, OutputError, PixpressError
from .pool import Pool
from .report_page import Cell, Pair, Picture
from .result import Result, SkippedReason
from .sources import link_target

# Together these bound the page, whatever the number of files.
_MOST_ROWS = 2000
_MOST_PAIRS = 6
_MOST_TRIED = 4 * _MOST_PAIRS
_PICTURE: dict[str, Any] = {
    "format": "webp",
    "width": 720,
    "height": 540,
    "quality": 90,
    "effort": 2,
    "animated": False,
    "metadata": "none",
    "on_damage": "salvage",
    "max_bytes": 150_000,
}


@dataclass(order=True)
class _Saving:
    """One file that was done; the least is the first to be left out."""

    saved: int
    number: int
    work: Work = field(compare=False)
    row: tuple[Cell, ...] = field(compare=False)
    caption: str = field(compare=False)
    is_new: bool = field(compare=False)


@dataclass
class _Rows:
    """The last rows of a table, and how many there were."""

    count: int = 0
    kept: deque[tuple[Cell, ...]] = field(default_factory=lambda: deque(maxlen=_MOST_ROWS))

    def add(self, *texts: str) -> None:
        self.count += 1
        self.kept.append(tuple(map(Cell, texts)))

    @property
    def left_out(self) -> int:
        return self.count - len(self.kept)


class Report:
    """Collects what became of files, and writes the page.

    Parameters
    ----------
    path : str
        Where to write it; replaced when it is there.
    pool_options : mapping
        Of the `Pool` that makes the pictures.
    """

    def __init__(self, path: str, pool_options: Mapping[str, Any]) -> None:
        self.path = path
        self._pool_options = {**pool_options, "journal": None, "cache": None}
        self._savings: list[_Saving] = []
        self._done = self._cached = 0
        self._failures = _Rows()
        self._skips = _Rows()
        self._warnings = _Rows()

    def check_path(self, works: list[Work]) -> None:
        """Refuse a place for the report that would cost an image.

        Raises
        ------
        OptionError
            It is no name of a page, or one of the inputs or outputs.
        """
        path = self.path
        if not path.lower().endswith((".html", ".htm")):
            raise OptionError(f"Expected a name that ends in .html for --report, got {path!r}")
        place = os.path.realpath(path)
        for work in works:
            for name in (work.source, work.output):
                if name.lower().endswith((".html", ".htm")) and os.path.realpath(name) == place:
                    raise OptionError(f"--report {path} is an input or output too")

    def add_result(self, work: Work, result: Result) -> None:
        """A file that was done."""
        self._done += 1
        self._cached += result.from_cache
        reason = result.skipped_reason
        if reason is not SkippedReason.NONE:
            self._skips.add(work.source, work.output, reason.value.replace("_", " "))
        for warning in result.warnings:
            self._warnings.add(work.source, warning)
        share = 100 * (1 - result.compression_ratio) if result.original_size else 0.0
        row = (
            Cell(work.source),
            Cell(work.output),
            Cell(result.format),
            Cell(f"{result.width}x{result.height}", result.width * result.height),
            Cell(f"{result.original_size:,}", result.original_size),
            Cell(f"{result.compressed_size:,}", result.compressed_size),
            Cell(f"{result.saved:,}", result.saved),
            Cell(f"{share:.1f}", share),
            Cell(f"{result.processing_time:.2f}", result.processing_time),
        )
        caption = (
            f"{work.source}: {result.original_size:,} to {result.compressed_size:,} bytes, "
            f"{share:.1f} % saved"
        )
        is_new = reason is SkippedReason.NONE
        heapq.heappush(
            self._savings, _Saving(result.saved, -self._done, work, row, caption, is_new)
        )
        if len(self._savings) > _MOST_ROWS:
            heapq.heappop(self._savings)

    def add_failure(self, work: Work, error: BaseException) -> None:
        """A file that failed."""
        self._failures.add(work.source, getattr(error, "code", "MEMORY_LIMIT"), str(error))

    def add_existing(self, work: Work) -> None:
        """A file whose output was there and stays."""
        self._skips.add(work.source, work.output, "output exists")

    def write(self, facts: list[tuple[str, str]], has_pictures: bool) -> None:
        """Write the page with `facts` as its totals.

        Raises
        ------
        OutputError
            It cannot be written; what was there before is left.
        """
        savings = sorted(self._savings, reverse=True)
        pairs = self._pairs(savings) if has_pictures else []
        heads = ("source", "output", "format", "pixels", "bytes before", "after", "saved")
        cached = [("From the cache", f"{self._cached:,} of {self._done:,}")] if self._cached else []
        parts = [
            report_page.facts([*facts, *cached]),
            report_page.pairs(pairs),
            report_page.table(
                "Failures",
                ("source", "error", "message"),
                self._failures.kept,
                self._failures.left_out,
            ),
            report_page.table(
                "Not replaced, or kept as they were",
                ("source", "output", "reason"),
                self._skips.kept,
                self._skips.left_out,
            ),
            report_page.table(
                "Warnings",
                ("source", "warning"),
                self._warnings.kept,
                self._warnings.left_out,
            ),
            report_page.table(
                "Files",
                (*heads, "saved, %", "seconds"),
                (saving.row for saving in savings),
                self._done - len(savings),
            ),
        ]
        _write(self.path, report_page.page("pixpress report", parts))

    def _pairs(self, savings: list[_Saving]) -> list[Pair]:
        """Pictures of those that saved most, as far as both files are there to be shown."""
        tried = [one for one in savings if one.is_new and one.saved > 0][:_MOST_TRIED]
        found: list[Pair] = []
        with Pool(**self._pool_options) as pool:
            for saving in tried:
                pair = _pair(pool, saving)
                if pair is not None:
                    found.append(pair)
                if len(found) == _MOST_PAIRS:
                    break
        return found


def _pair(pool: Pool, saving: _Saving) -> Pair | None:
    source, output = saving.work.source, saving.work.output
    try:
        if "-" in (source, output) or os.path.samefile(source, output):
            return None  # What was before is gone.
        both = [pool.submit(path, **_PICTURE) for path in (source, output)]
        before, after = (future.result() for future in both)
    except (PixpressError, OSError):
        return None  # Changed or removed since; or no bytes are few enough for it.
    return Pair(saving.caption, _picture(before), _picture(after))


def _picture(result: Result) -> Picture:
    assert result.data is not None
    return Picture(result.data, result.format, result.width, result.height)


def _write(path: str, text: str) -> None:
    path = link_target(path)
    folder = os.path.dirname(path)
    # Beside it, so that a reader finds the old page or the new one.
    beside = os.path.join(folder, f".pixpress-{secrets.token_hex(8)}")
    try:
        os.makedirs(folder or ".", exist_ok=True)
        try:
            with open(beside, "x", encoding="utf-8") as file:
                file.write(text)
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside)
            raise
    except OSError as error:
        problem = error.strerror or str(error)
        raise OutputError(f"{path}: {problem}", errno=error.errno, filename=path) from error
