"""What the command tells: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .cli_inputs import Work, Workload
from .errors import OutputExistsError, PixpressError
from .future import JobFuture
from .result import Result, SkippedReason

_LOG_EVERY_S = 2.0


def shown(text: str) -> str:
    """`text` with what a terminal would obey, or cannot show, as escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def shown_size(size: int) -> str:
    """Bytes for people: powers of 1024, as everywhere in this package."""
    amount = float(size)
    for unit in ("bytes", "KB", "MB", "GB"):
        if abs(amount) < 1024 or unit == "GB":
            break
        amount /= 1024
    return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"


class Tally:
    """Counts outcomes and reports them."""

    def __init__(self, load: Workload, as_json: bool, quiet: bool) -> None:
        self.load = load
        self.total = len(load.works)
        self.done = self.failed = self.kept = self.before = self.after = 0
        self.as_json, self.quiet = as_json, quiet
        self.writes_data = any(work.output == "-" for work in load.works)
        console = Console(stderr=True)
        self.is_live = console.is_terminal and not quiet
        self.progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("files"),
            TextColumn("{task.fields[saved]} saved"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            disable=not self.is_live,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.bar = self.progress.add_task("", total=self.total, saved="0 bytes")
        self.start = self.last_log = time.monotonic()

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
            self.leave(work)
            return
        elif isinstance(error, (PixpressError, MemoryError)):
            self.fail(work, error)
        else:
            raise error
        self._advance()

    def leave(self, work: Work) -> None:
        """Report an output that exists and stays as it is."""
        self.kept += 1
        if self.as_json:
            row = {"source": work.source, "output_path": work.output}
            self._row({**row, "skipped_reason": "output_exists"})
        else:
            self._result(f"{work.output}: exists, left as it is")
        self._advance()

    def fail(self, work: Work, error: BaseException) -> None:
        """Report a failure; also when quiet."""
        self.failed += 1
        code = getattr(error, "code", "MEMORY_LIMIT")
        if self.as_json:
            self._row({"source": work.source, "error": code, "message": str(error)})
        self._say(f"error: {error}")

    def fail_and_advance(self, work: Work, error: BaseException) -> None:
        """The same for work that did not become a job."""
        self.fail(work, error)
        self._advance()

    def _succeed(self, work: Work, result: Result) -> None:
        self.done += 1
        self.before += result.original_size
        self.after += result.compressed_size
        self._keep_times(work, result)
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
        self.progress.update(self.bar, completed=self.counted, saved=shown_size(saved))
        now = time.monotonic()
        if self.is_live or self.quiet or now - self.last_log < _LOG_EVERY_S:
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
        if self.writes_data or (self.is_live and sys.stdout.isatty()):
            self._say(line)
        else:
            click.echo(shown(line))

    def _say(self, line: str) -> None:
        if self.is_live:
            self.progress.console.print(shown(line), markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(shown(line), err=True)

    def close(self, was_interrupted: bool) -> None:
        """One line that says what became of it all."""
        if self.quiet and not was_interrupted:
            return
        parts = [f"{self.done} of {self.total} done"]
        counts = {"failed": self.failed, "left as they were": self.kept}
        counts["not done"] = self.total - self.counted if was_interrupted else 0
        counts["no images"] = self.load.no_images
        counts["links not followed"] = self.load.links
        counts["of formats not supported"] = self.load.unsupported
        parts += [f"{count} {what}" for what, count in counts.items() if count]
        percent = 100 * (1 - self.after / self.before) if self.before else 0.0
        click.echo(
            f"{'interrupted: ' if was_interrupted else ''}{', '.join(parts)}; "
            f"{self.before:,} -> {self.after:,} bytes ({percent:.1f} % saved)",
            err=True,
        )


def _remark(result: Result) -> str:
    reason = result.skipped_reason.value
    remarks = [] if reason == "none" else [reason.replace("_", " ")]
    remarks += result.warnings
    return f" ({'; '.join(remarks)})" if remarks else ""
