"""What the command is to do: inputs, and the output of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import click

from .errors import PixpressError, UnidentifiedImageError, UnsupportedFormatError
from .foreign import FOREIGN, format_of_path
from .kernels import probe
from .sources import OPEN_EXTENSION, extension_format, output_name, possible_names


@dataclass(frozen=True)
class Work:
    """One input and its output; "-" is a standard stream."""

    source: str
    output: str
    times_ns: tuple[int, int] | None = None  # Access and change of the source, for the output.
    root: str | None = None  # Of a tree of outputs: no link below it is followed.
    follows: bool = False  # The output itself was named: where it is a link, its target is meant.

    @property
    def existing(self) -> str | None:
        """The output that is there already, if one is; of several names none that is the source."""
        if self.output == "-":
            return None
        names = possible_names(self.output)
        others = [name for name in names if len(names) == 1 or not _is_same(name, self.source)]
        return next(filter(os.path.lexists, others), None)


def _is_same(path: str, source: str) -> bool:
    try:
        return os.path.samefile(path, source)
    except OSError:  # One of them is not there.
        return False


@dataclass(frozen=True)
class Selection:
    """Which files of walked folders to take: patterns of the shell, where * crosses folders too.

    A pattern with a slash is compared with the path below the folder, one without with names.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, path: Path) -> bool:
        """Whether the file of this path below its folder is taken."""
        included = not self.include or any(_matches(path, pattern) for pattern in self.include)
        return included and not self.drops(path)

    def drops(self, path: Path) -> bool:
        """Whether this file or folder is excluded."""
        return any(_matches(path, pattern) for pattern in self.exclude)


def _matches(path: Path, pattern: str) -> bool:
    name = path.as_posix() if "/" in pattern.rstrip("/") else path.name
    return fnmatchcase(name, pattern.rstrip("/").removeprefix("./"))


@dataclass
class Workload:
    """All that is to do, and what walked folders hold besides."""

    works: list[Work] = field(default_factory=list)
    no_images: int = 0
    unsupported: int = 0
    links: int = 0  # Not followed.
    keeps_times: bool = False


def find_work(
    inputs: tuple[str, ...],
    output: str,
    recursive: bool,
    format: str,
    selection: Selection = Selection(),
    own: Set[tuple[int, int]] = frozenset(),
) -> Workload:
    """Look at all inputs; refuse what cannot end well before any work starts.

    What is `own` is left out of walked folders, and not opened: see `own_places`.

    Links that are named are followed, those that walked folders hold are not, so that nothing
    outside of them is read and nothing twice.
    """
    folders = [name for name in inputs if name != "-" and os.path.isdir(name)]
    is_folder = bool(folders) or len(inputs) > 1 or output.endswith("/") or os.path.isdir(output)
    if folders and not recursive:
        raise click.UsageError(f"{folders[0]} is a folder: give -R to compress what is in it")
    if folders and output == "-":
        raise click.UsageError("Expected one file as input for standard output, got a folder")
    load = Workload()
    for name in inputs:
        if name in folders:
            found = _files(Path(name), output, selection, own)
            _add_folder(load, Path(name), Path(output), len(inputs) > 1, format, found)
        elif output == "-" or not is_folder:
            _check_extension(output, format)
            is_open = os.path.splitext(output)[1] == OPEN_EXTENSION
            made = output_name(output, _format_of(name, format)) if is_open else output
            load.works.append(Work(name, made, follows=True))
        elif name == "-":
            raise click.UsageError("Expected a file or - for the output of standard input")
        else:
            made = output_name(os.path.basename(name), _format_of(name, format))
            target = os.path.join(output, made)
            is_in_place = os.path.abspath(target) == os.path.abspath(name)
            load.works.append(Work(name, target, follows=is_in_place))
    if is_folder and output != "-" and os.path.exists(output) and not os.path.isdir(output):
        raise click.UsageError(f"Expected a folder for the output of several inputs, got {output}")
    _refuse_collisions(load.works)
    return load


def _check_extension(output: str, format: str) -> None:
    if output == "-":
        return
    named = extension_format(output)
    is_open = os.path.splitext(output)[1] in ("", OPEN_EXTENSION)
    if format == "keep" and named == "keep" and not is_open:
        raise click.UsageError(f"Expected a known extension or a format (-f), got {output}")
    if format == "auto" and named != "keep":
        raise click.UsageError(f"Expected no extension of a format for auto, got {output}")
    if "keep" not in (format, named) and format != named:
        raise click.UsageError(f"Expected an extension of {format} for the output, got {output}")


def _format_of(path: str, format: str) -> str:
    """The format to write: that of the content for keep, whatever the extension says."""
    if format != "keep" or path == "-":
        return format
    try:
        found = probe(path).format
    except PixpressError:  # The job will say so.
        return "keep"
    return "keep" if found in FOREIGN else found  # Of the latter it will say that it needs one.


def _add_folder(
    load: Workload,
    folder: Path,
    output: Path,
    keep_name: bool,
    format: str,
    files: Iterator[Path],
) -> None:
    base = output / folder.resolve().name if keep_name else output
    for path in files:
        if path.is_symlink():
            load.links += 1
            continue
        try:
            found = probe(path).format if path.is_file() else None
        except UnidentifiedImageError:
            found = None
        except UnsupportedFormatError:
            load.unsupported += 1
            continue
        except PixpressError:  # An image, but damaged or refused: the job will say so.
            found = "keep"
        if found is None:
            load.no_images += 1
            continue
        is_foreign = found in FOREIGN or (found == "keep" and format_of_path(path.name) is not None)
        if is_foreign and format == "keep":
            load.unsupported += 1
            continue
        target = base / path.relative_to(folder)
        made = output_name(str(target), found if format == "keep" else format)
        load.works.append(Work(str(path), made, root=str(output)))


def own_places(journal: str | None, cache: str | None) -> Set[tuple[int, int]]:
    """Device and inode of the files that a journal has, and of the folder of a cache."""
    found = set()
    path = None if journal is None else os.path.realpath(journal)
    places = [] if path is None else [path, f"{path}-wal", f"{path}.lock"]
    for place in [*places, *([] if cache is None else [cache])]:
        try:
            state = os.stat(place)
        except OSError:  # Not there yet.
            continue
        found.add((state.st_dev, state.st_ino))
    return found


def _is_one_of(path: Path, identities: Set[tuple[int, int]]) -> bool:
    if not identities:
        return False
    state = os.lstat(path)
    return (state.st_dev, state.st_ino) in identities


def _files(
    folder: Path, output: str, selection: Selection, own: Set[tuple[int, int]]
) -> Iterator[Path]:
    """The selected files below `folder`, but not those of an earlier run in a folder of it."""
    inner = os.path.realpath(output)
    is_itself = inner == os.path.realpath(folder)
    for root, folders, files in os.walk(folder):
        here = Path(root).relative_to(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not selection.drops(here / name)
            and not _is_one_of(Path(root) / name, own)
            and (is_itself or os.path.realpath(os.path.join(root, name)) != inner)
        )
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        for file in sorted(files + links):
            if selection.takes(here / file) and not _is_one_of(Path(root) / file, own):
                yield Path(root) / file


def _refuse_collisions(works: list[Work]) -> None:
    """Two inputs for one output, or an output that is the input of another."""
    sources = {os.path.realpath(work.source): work.source for work in works if work.source != "-"}
    seen: dict[str, str] = {}
    folded: dict[str, str] = {}  # The same without regard to case, and the real one.
    for work, name in ((one, name) for one in works for name in possible_names(one.output)):
        key = "-" if name == "-" else os.path.realpath(name)
        other = folded.setdefault(key.casefold(), key)
        if other != key and _ignores_case(os.path.dirname(other)):
            key = other
        if key in seen:
            raise click.UsageError(
                f"{seen[key]} and {work.source} would both be written to {work.output}"
            )
        seen[key] = work.source
        if sources.get(key, work.source) != work.source:
            raise click.UsageError(
                f"{work.source} would be written to {name}, which is an input as well"
            )


def _ignores_case(folder: str) -> bool:
    """Whether names that differ in case only are one file there; a file is made to find out.

    Of a folder that is not there yet its nearest parent tells.
    """
    import tempfile

    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    try:
        with tempfile.NamedTemporaryFile(prefix=".pixpress-Case-", dir=folder) as file:
            return os.path.lexists(os.path.join(folder, os.path.basename(file.name).swapcase()))
    except OSError:  # Then nothing can be written either, which the jobs will say.
        return False
