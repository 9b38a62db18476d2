"""What the command tells: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from .cli_inputs import Work, Workload
from .errors import OutputError, OutputExistsError, PixpressError
from .future import JobFuture
from .pool import Pool
from .printable import shown, shown_size
from .result import Result, SkippedReason

if TYPE_CHECKING:
    from .cli_live import LiveView
    from .report import Report

_LOG_EVERY_S = 2.0


class Tally:
    """Counts outcomes and reports them."""

    def __init__(
        self,
        pool: Pool,
        load: Workload,
        as_json: bool,
        quiet: bool,
        report: Report | None = None,
    ) -> None:
        self.load = load
        self.total = len(load.works)
        self.done = self.failed = self.kept = self.before = self.after = self.cached = 0
        self.as_json, self.quiet = as_json, quiet
        self.writes_data = any(work.output == "-" for work in load.works)
        is_live = not quiet and not as_json and sys.stderr.isatty()
        self.view = _live_view(pool, self.total) if is_live else None
        self.progress = self.view or nullcontext()
        self.start = self.last_log = time.monotonic()
        self._report = report
        self._lacks_report = False

    @property
    def exit_code(self) -> int:
        """0 if all was done that is counted, else 1."""
        return int(self.failed > 0 or self._lacks_report)

    @property
    def counted(self) -> int:
        """Files with an outcome."""
        return self.done + self.failed + self.kept

    def take(self, work: Work, future: JobFuture) -> None:
        """Report a job that has ended. A cancelled one has no outcome."""
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self._succeed(work, future.result())
        elif isinstance(error, OutputExistsError):
            self.leave(work, error.filename or work.output)
            return
        elif isinstance(error, (PixpressError, MemoryError)):
            self.fail(work, error)
        else:
            raise error
        self._advance()

    def leave(self, work: Work, existing: str) -> None:
        """Report an output that exists and stays as it is."""
        work = replace(work, output=existing)
        self.kept += 1
        if self._report is not None:
            self._report.add_existing(work)
        if self.as_json:
            row = {"source": work.source, "output_path": work.output}
            self._row({**row, "skipped_reason": "output_exists"})
        else:
            self._result(f"{work.output}: exists, left as it is")
        self._advance()

    def fail(self, work: Work, error: BaseException) -> None:
        """Report a failure; also when quiet."""
        self.failed += 1
        if self._report is not None:
            self._report.add_failure(work, error)
        code = getattr(error, "code", "MEMORY_LIMIT")
        if self.as_json:
            self._row({"source": work.source, "error": code, "message": str(error)})
        self._say(f"error: {error}")

    def fail_and_advance(self, work: Work, error: BaseException) -> None:
        """The same for work that did not become a job."""
        self.fail(work, error)
        self._advance()

    def _succeed(self, work: Work, result: Result) -> None:
        work = replace(work, output=result.output_path or work.output)
        self.done += 1
        self.cached += result.from_cache
        self.before += result.original_size
        self.after += result.compressed_size
        self._keep_times(work, result)
        if self._report is not None:
            self._report.add_result(work, result)
        if work.output == "-" and result.data is not None:
            sys.stdout.buffer.write(result.data)
            sys.stdout.buffer.flush()
        elif self.as_json:
            self._row(result.to_dict())
        else:
            change = f"{result.original_size:,} -> {result.compressed_size:,} bytes"
            self._result(f"{work.source} -> {work.output}: {change}{_remark(result)}")

    def _keep_times(self, work: Work, result: Result) -> None:
        was_written = result.skipped_reason is not SkippedReason.OUTPUT_NOT_LARGER
        if work.times_ns is None or result.output_path is None or not was_written:
            return
        try:
            os.utime(result.output_path, ns=work.times_ns)
        except OSError as error:
            self._say(f"warning: {work.output}: its times were not kept: {error.strerror}")

    def _advance(self) -> None:
        saved = self.before - self.after
        if self.view is not None:
            self.view.update(self.counted, saved)
            return
        now = time.monotonic()
        if self.quiet or self.as_json or now - self.last_log < _LOG_EVERY_S:
            return
        self.last_log = now
        left_s = (now - self.start) / self.counted * (self.total - self.counted)
        self._say(
            f"{self.counted} of {self.total} files, {shown_size(saved)} saved, "
            f"about {left_s:.0f} s left"
        )

    def _row(self, row: dict[str, Any]) -> None:
        click.echo(json.dumps(row))

    def _result(self, line: str) -> None:
        """One line of results: to standard output, above the bar if both are on one terminal."""
        if self.quiet:
            return
        if self.writes_data or (self.view is not None and sys.stdout.isatty()):
            self._say(line)
        else:
            click.echo(shown(line))

    def _say(self, line: str) -> None:
        if self.view is not None:
            self.view.say(line)
        else:
            click.echo(shown(line), err=True)

    def close(self, was_interrupted: bool) -> None:
        """One line that says what became of it all, and the report."""
        parts = [f"{self.done} of {self.total} done"]
        counts = {"from the cache": self.cached, "failed": self.failed}
        counts["left as they were"] = self.kept
        counts["not done"] = self.total - self.counted if was_interrupted else 0
        counts["no images"] = self.load.no_images
        counts["links not followed"] = self.load.links
        counts["of formats not supported"] = self.load.unsupported
        parts += [f"{count} {what}" for what, count in counts.items() if count]
        files = f"{'interrupted: ' if was_interrupted else ''}{', '.join(parts)}"
        percent = 100 * (1 - self.after / self.before) if self.before else 0.0
        sizes = f"{self.before:,} -> {self.after:,} bytes ({percent:.1f} % saved)"
        if was_interrupted or not self.quiet:
            click.echo(f"{files}; {sizes}", err=True)
        if self._report is not None:
            self._write_report(self._report, files, sizes, was_interrupted)

    def _write_report(self, report: Report, files: str, sizes: str, was_interrupted: bool) -> None:
        facts = [
            ("Files", files),
            ("Sizes", sizes),
            ("Time", f"{time.monotonic() - self.start:,.1f} s"),
            ("Written", time.strftime("%Y-%m-%d %H:%M")),
        ]
        try:
            report.write(facts, has_pictures=not was_interrupted)
        except OutputError as error:
            self._lacks_report = True
            self._say(f"error: {error}")


def _remark(result: Result) -> str:
    reason = result.skipped_reason.value
    remarks = [] if reason == "none" else [reason.replace("_", " ")]
    remarks += ["from the cache"] if result.from_cache else []
    remarks += result.warnings
    return f" ({'; '.join(remarks)})" if remarks else ""


def _live_view(pool: Pool, total: int) -> LiveView | None:
    """The view, unless the environment says that this terminal is none for it."""
    from rich.console import Console

    from .cli_live import LiveView

    console = Console(stderr=True)
    return LiveView(pool, total, console) if console.is_terminal else None
