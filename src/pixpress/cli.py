"""The command: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections import deque
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import __version__, features, probe
from .cli_inputs import Work, find_work
from .errors import OutputExistsError, PixpressError
from .pool import JobFuture, Pool
from .result import Result


def _print_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    click.echo(f"pixpress {__version__}")
    if {"-v", "--verbose"} & set(sys.argv):
        click.echo(json.dumps(features()))
    context.exit()


@click.group()
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version)
@click.option("-v", "--verbose", is_flag=True, expose_value=False, help="With --version: details.")
def main() -> None:
    """Compress images."""


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--json", "as_json", is_flag=True)
def info(files: tuple[str, ...], as_json: bool) -> None:
    """Say what FILES are."""
    failed = False
    for name in files:
        try:
            found = probe(name)
        except PixpressError as error:
            failed = True
            click.echo(str(error), err=True)
            continue
        if as_json:
            click.echo(json.dumps({"file": name, **found.to_dict()}))
        else:
            click.echo(f"{name}: {found.format} {found.width}x{found.height} {found.mode}")
    sys.exit(int(failed))


@main.command()
@click.argument("inputs", nargs=-1, required=True)
@click.option("-o", "--output", required=True, help="File or folder; - is standard output.")
@click.option(
    "-f", "--format", type=click.Choice(["keep", "jpeg", "png", "webp", "avif"]), default="keep"
)
@click.option("-q", "--quality", type=click.IntRange(1, 100), default=80)
@click.option("--width", type=click.IntRange(1))
@click.option("--height", type=click.IntRange(1))
@click.option(
    "--fit",
    type=click.Choice(["inside", "cover", "contain", "fill", "outside"]),
    default="inside",
)
@click.option("--effort", type=click.IntRange(1, 10), default=5)
@click.option("--lossless", is_flag=True)
@click.option("--metadata", type=click.Choice(["none", "safe", "all"]), default="safe")
@click.option("--overwrite", type=click.Choice(["all", "never", "smaller"]), default="never")
@click.option("-R", "--recursive", is_flag=True)
@click.option("--workers", type=click.IntRange(1, 1024))
@click.option("--memory")
@click.option("--json", "as_json", is_flag=True)
@click.option("--dry-run", is_flag=True)
@click.option("--quiet", is_flag=True)
def compress(
    inputs: tuple[str, ...],
    output: str,
    recursive: bool,
    workers: int | None,
    memory: str | None,
    as_json: bool,
    dry_run: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Compress INPUTS, files or folders (- is standard input)."""
    works, skipped = find_work(inputs, output, recursive, settings["format"])
    if dry_run:
        for work in works:
            click.echo(f"{work.source} -> {work.output}")
        return
    try:
        pool = Pool(max_workers=workers, memory_limit=memory)
    except PixpressError as error:
        raise click.UsageError(str(error)) from error
    sys.exit(_run(pool, works, skipped, settings, as_json, quiet))


def _run(
    pool: Pool,
    works: list[Work],
    skipped: int,
    settings: dict[str, Any],
    as_json: bool,
    quiet: bool,
) -> int:
    tally = Tally(len(works), skipped, as_json, quiet)
    waiting: deque[tuple[Work, JobFuture]] = deque()
    try:
        with pool, tally.progress:
            for work in works:
                source: object = work.source
                if work.source == "-":
                    source = sys.stdin.buffer.read()
                target = None if work.output == "-" else work.output
                if target is not None:
                    Path(target).parent.mkdir(parents=True, exist_ok=True)
                waiting.append((work, pool.submit(source, target, **settings)))
                if len(waiting) >= 64:
                    tally.take(*waiting.popleft())
            while waiting:
                tally.take(*waiting.popleft())
    except KeyboardInterrupt:
        tally.close("interrupted: ")
        return 130
    tally.close("")
    return 1 if tally.failed else 0


class Tally:
    """Counts outcomes and reports them."""

    def __init__(self, total: int, skipped: int, as_json: bool, quiet: bool) -> None:
        self.total, self.skipped = total, skipped
        self.done = self.failed = self.kept = self.before = self.after = 0
        self.as_json, self.quiet = as_json, quiet
        console = Console(stderr=True)
        self.is_live = console.is_terminal and not quiet
        self.progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[saved]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not self.is_live,
        )
        self.bar = self.progress.add_task("", total=total, saved="")

    def take(self, work: Work, future: JobFuture) -> None:
        """Wait for one job and report it."""
        try:
            self._succeed(work, future.result())
        except OutputExistsError:
            self.kept += 1
            self._log(f"{work.output}: exists, left as it is")
        except PixpressError as error:
            self.failed += 1
            click.echo(str(error), err=True)
            if self.as_json:
                row = {"source": work.source, "error": error.code, "message": str(error)}
                click.echo(json.dumps(row))
        saved = f"{self.before - self.after:,} bytes saved"
        self.progress.update(self.bar, advance=1, saved=saved)

    def _succeed(self, work: Work, result: Result) -> None:
        self.done += 1
        self.before += result.original_size
        self.after += result.compressed_size
        if work.output == "-" and result.data is not None:
            sys.stdout.buffer.write(result.data)
            sys.stdout.buffer.flush()
        elif self.as_json:
            click.echo(json.dumps(result.to_dict()))
        self._log(f"{work.source}: {result.original_size:,} -> {result.compressed_size:,} bytes")

    def _log(self, line: str) -> None:
        if not self.quiet and not self.is_live:
            click.echo(line, err=True)

    def close(self, prefix: str) -> None:
        """One line that says what became of it all."""
        if self.quiet and not prefix:
            return
        percent = 100 * (1 - self.after / self.before) if self.before else 0.0
        click.echo(
            f"{prefix}{self.done} of {self.total} done, {self.failed} failed, {self.kept} left, "
            f"{self.skipped} no images; {self.before:,} -> {self.after:,} bytes "
            f"({percent:.1f} % saved)",
            err=True,
        )
