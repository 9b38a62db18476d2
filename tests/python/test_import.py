"""What is loaded by whom: large modules only by what needs them."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import pixpress

PATIENCE_S = 60
LARGE = {"PIL", "asyncio", "numpy", "rich", "yaml"}
SAY_LARGE = f"import sys; print(*sorted({LARGE!r} & set(sys.modules)))"


def loaded_by(code: str, *arguments: object) -> set[str]:
    """Which of the large modules a new interpreter has after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{SAY_LARGE}", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


COMMAND = """
import sys
from pixpress.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
"""


def test_importing_loads_nothing_large() -> None:
    assert loaded_by("import pixpress") == set()


def test_all_public_names_are_there_without_numpy() -> None:
    assert loaded_by("from pixpress import *; import pixpress; dir(pixpress)") == set()


def test_compressing_a_file_loads_nothing_large(tmp_path: Path, photo_jpeg: bytes) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(photo_jpeg)
    code = "import pixpress, sys; pixpress.compress(*sys.argv[1:]); pixpress.probe(sys.argv[2])"
    assert loaded_by(code, source, tmp_path / "out.webp") == set()
    assert (tmp_path / "out.webp").stat().st_size > 0


@pytest.mark.parametrize("arguments", [["--version"], ["compress", "--help"]])
def test_the_command_says_what_it_is_without_anything_large(arguments: list[str]) -> None:
    assert loaded_by(COMMAND, *arguments) <= {"PIL"}  # Of which --version tells the version.


def test_the_command_loads_nothing_large_for_a_photograph(
    tmp_path: Path, photo_jpeg: bytes
) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(photo_jpeg)
    arguments = ["compress", source, "-o", tmp_path / "out.jpg"]
    assert loaded_by(COMMAND, *arguments) == set()
    assert (tmp_path / "out.jpg").stat().st_size > 0


def test_an_array_or_an_event_loop_loads_what_it_is_made_of(
    tmp_path: Path, photo_jpeg: bytes
) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(photo_jpeg)
    assert "numpy" in loaded_by("import pixpress, sys; pixpress.decode(sys.argv[1])", source)
    assert loaded_by("import pixpress; pixpress.PoolConfig(max_workers=1).to_yaml()") == {"yaml"}


def test_hints_of_all_public_functions_can_be_evaluated() -> None:
    for name in pixpress.__all__:
        value = getattr(pixpress, name)
        if inspect.isfunction(value):
            assert typing.get_type_hints(value), name
        elif inspect.isclass(value):
            for member in vars(value).values():
                if inspect.isfunction(member):
                    typing.get_type_hints(member)
