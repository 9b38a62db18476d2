"""The command."""

from __future__ import annotations

import errno
import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from .built_in import features
from .cli_inputs import Selection, Workload, find_work, own_places
from .cli_pool import cache_of, has_pool_options, journal_of, take_pool_options
from .cli_resume import resume_all, run_kept
from .cli_run import Terminated, exit_code, run_all
from .cli_tally import Tally
from .errors import OptionError, PixpressError
from .kernels import probe
from .options import Settings
from .pool import Pool
from .printable import shown
from .result import ImageInfo
from .sources import WRITTEN

if TYPE_CHECKING:
    from .report import Report

_INPUT = click.Path(exists=True, readable=True, allow_dash=True)
_FILE = click.Path(exists=True, readable=True, allow_dash=True, dir_okay=False)
_takes_report = click.option(
    "--report", type=click.Path(dir_okay=False), help="Write a page on it: out.html."
)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Exit as a shell expects for signals outside of the jobs, and where output cannot go on."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _terminate)
        try:
            command(*args, **options)
        except KeyboardInterrupt as interrupt:
            click.echo("interrupted: nothing more was done", err=True)
            sys.exit(exit_code(interrupt))
        except OSError as error:
            if error.errno == errno.EPIPE:  # Click ends the command for that, without a word.
                raise
            _forget_output()
            where = error.filename or "standard output"
            click.echo(shown(f"error: {where}: {error.strerror or error}"), err=True)
            sys.exit(1)

    return run


def _forget_output() -> None:
    """What is buffered is lost anyway, and must not fail once more as the interpreter exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


@click.group(invoke_without_command=True)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.option("-v", "--verbose", is_flag=True, help="With --version: codecs and SIMD target.")
@click.pass_context
def main(context: click.Context, version: bool, verbose: bool) -> None:
    """Compress images."""
    if version:
        _print_version(verbose)
        context.exit()
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)


def _print_version(verbose: bool) -> None:
    found = features()
    click.echo(f"pixpress {found['version']}")
    if verbose:
        click.echo(f"simd: {found['simd']}")
        for name, libraries in found["codecs"].items():
            can = [verb for verb in ("read", "write") if name in found[verb]]
            click.echo(f"{name}: " + "; ".join([*([", ".join(can)] if can else []), libraries]))


@main.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file.")
@_interruptible
def info(files: tuple[str, ...], as_json: bool) -> None:
    """Say what FILES are (- is standard input)."""
    failed = False
    for name in files:
        try:
            found = probe(sys.stdin.buffer if name == "-" else name)
        except PixpressError as error:
            failed = True
            if as_json:
                row = {"file": name, "error": error.code, "message": str(error)}
                click.echo(json.dumps(row))
            click.echo(shown(f"error: {error}"), err=True)
            continue
        if as_json:
            click.echo(json.dumps({"file": name, **found.to_dict()}))
        else:
            click.echo(shown(f"{name}: {_described(found)}"))
    sys.exit(int(failed))


def _described(found: ImageInfo) -> str:
    parts = [f"{found.format} {found.width}x{found.height} {found.mode}, {found.bits} bits"]
    parts += [f"{found.frames} frames"] if found.frames > 1 else []
    parts += ["progressive"] if found.is_progressive else []
    parts += [f"quality {found.estimated_quality}"] if found.estimated_quality else []
    parts += [f"orientation {found.orientation}"] if found.orientation != 1 else []
    parts += ["color profile"] if found.has_icc else []
    return ", ".join(parts)


@main.command()
@click.argument("inputs", nargs=-1, required=True, type=_INPUT)
@click.option("-o", "--output", required=True, help="File or folder; - is standard output.")
@click.option(
    "-f",
    "--format",
    type=click.Choice(["keep", "auto", *WRITTEN]),
    default="keep",
    help="Format of the outputs; auto makes the smallest, and the extension .* stands for it.",
)
@click.option("-q", "--quality", type=click.IntRange(1, 100), default=80, show_default=True)
@click.option("--effort", type=click.IntRange(1, 10), default=5, show_default=True)
@click.option(
    "--post-process", is_flag=True, help="Make JPEG and PNG smaller without loss at the end."
)
@click.option("--lossless", is_flag=True, help="Keep every pixel, or fail.")
@click.option("--width", type=click.IntRange(1), help="Most pixels from left to right.")
@click.option("--height", type=click.IntRange(1), help="Most pixels from top to bottom.")
@click.option(
    "--fit",
    type=click.Choice(["inside", "cover", "contain", "fill", "outside"]),
    default="inside",
    show_default=True,
)
@click.option(
    "--subsampling", type=click.Choice(["auto", "4:4:4", "4:2:2", "4:2:0"]), default="auto"
)
@click.option("--metadata", type=click.Choice(["none", "safe", "all"]), default="safe")
@click.option(
    "--overwrite",
    type=click.Choice(["all", "never", "smaller"]),
    default="never",
    show_default=True,
    help="Which existing outputs to replace.",
)
@click.option("--target", help="The score to reach instead of a quality: ssimulacra2:80.")
@click.option("--min-quality", type=click.IntRange(1, 100), help="The least score of an output.")
@click.option("--max-size", "max_bytes", help="Most bytes of an output, such as 200KB.")
@click.option(
    "--on-damage",
    type=click.Choice(["error", "salvage"]),
    default="error",
    show_default=True,
    help="Whether damaged images fail, or become what can be decoded of them.",
)
@click.option("-R", "--recursive", is_flag=True, help="Walk folders, keeping their tree.")
@click.option("--include", multiple=True, help="Take only such files of folders: '*.jpg'.")
@click.option("--exclude", multiple=True, help="Leave such files and folders out: 'old/*'.")
@click.option("--keep-times", is_flag=True, help="Give outputs the times of their inputs.")
@has_pool_options
@click.option("--journal", type=click.Path(dir_okay=False), help="Keep the jobs in this file.")
@_takes_report
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--quiet", is_flag=True, help="Only report failures.")
@_interruptible
def compress(
    inputs: tuple[str, ...],
    output: str,
    recursive: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    keep_times: bool,
    journal: str | None,
    report: str | None,
    as_json: bool,
    dry_run: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Compress INPUTS, files or folders (- is standard input).

    Exit code 0 says that all are done, 1 that some failed, 2 that the command was wrong. Files of
    walked folders that are no images are counted, and no failures. Links are followed when they are
    named, and not in walked folders.

    With a journal, what is left when the command ends early, killed or not, is finished by
    `pixpress resume JOURNAL`. The first Ctrl-C, or SIGTERM, then lets running jobs end, and the
    second stops them.
    """
    pool_options = take_pool_options(options)
    selection = Selection(include, exclude)
    given = pool_options if journal is None else {**pool_options, "journal": journal}
    kept_in = journal_of(given)
    own = own_places(kept_in, cache_of(given))
    load = find_work(inputs, output, recursive, options["format"], selection, own)
    try:
        settings = Settings(**options)
    except PixpressError as error:
        raise click.UsageError(str(error)) from error
    if dry_run:
        sys.exit(_show_work(load, as_json))
    if output == "-" and as_json:
        raise click.UsageError("--json and the image itself cannot both go to standard output")
    if output == "-" and sys.stdout.isatty():
        raise click.UsageError("Expected a file or a pipe as standard output, got a terminal")
    try:
        page = _report(report, pool_options)
        if page is not None:
            page.check_path(load.works)
        if kept_in is not None and (keep_times or "-" in (output, *inputs)):
            raise OptionError("--journal keeps neither standard streams nor --keep-times")
        pool = Pool(**given)
    except PixpressError as error:
        raise click.UsageError(str(error)) from error
    load.keeps_times = keep_times
    run = run_all if kept_in is None else run_kept
    sys.exit(run(pool, load, settings, Tally(pool, load, as_json, quiet, page)))


@main.command()
@click.argument("journal", type=click.Path(exists=True, dir_okay=False))
@has_pool_options
@_takes_report
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file.")
@click.option("--quiet", is_flag=True, help="Only report failures.")
@_interruptible
def resume(journal: str, report: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Finish what a command with this JOURNAL has left.

    What is done is not done again. Exit codes are those of `compress`.
    """
    pool_options = take_pool_options(options)
    page = _report(report, pool_options)
    try:
        pool = Pool._take_over(journal, pool_options.pop("config", None), pool_options)
    except PixpressError as error:
        raise click.UsageError(str(error)) from error
    sys.exit(resume_all(pool, as_json, quiet, page))


def _report(path: str | None, pool_options: dict[str, Any]) -> Report | None:
    if path is None:
        return None
    from .report import Report

    return Report(path, pool_options)


def _show_work(load: Workload, as_json: bool) -> int:
    """Say what would become of what; the exit code that headers foretell."""
    failed = 0
    for work in load.works:
        row: dict[str, Any] = {"source": work.source, "output": work.output}
        what = ""
        if work.source != "-":
            try:
                found = probe(work.source)
                row["size"] = os.path.getsize(work.source)
                row |= {"format": found.format, "width": found.width, "height": found.height}
                what = f"  ({found.format} {found.width}x{found.height}, {row['size']:,} bytes)"
            except PixpressError as error:
                failed += 1
                row |= {"error": error.code, "message": str(error)}
                what = f"  (error: {error})"
        row["exists"] = work.existing is not None
        exists = "  (exists)" if row["exists"] else ""
        line = f"{work.source} -> {work.output}{exists}{what}"
        click.echo(json.dumps(row) if as_json else shown(line))
    others = f"{load.no_images} no images, {load.unsupported} of formats not supported"
    click.echo(f"{len(load.works)} to do, {failed} would fail; {others}", err=True)
    return int(failed > 0)
