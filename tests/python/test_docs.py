"""What the documents say of names and defaults is what the code has."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import pixpress
from pixpress import errors

DOCS = Path(__file__).parents[2] / "docs"


def text_of(name: str) -> str:
    path = DOCS / name
    if not path.exists():
        pytest.skip("the docs are not beside the tests")
    return path.read_text()


def test_the_table_of_errors_is_that_of_the_code() -> None:
    row = re.compile(r"^\| `(\w+)` \| `(\w+)` \| (?:`(\w+)`)? ?\|(.*)\|$", re.MULTILINE)
    rows = {name: rest for name, *rest in row.findall(text_of("errors.md"))}
    classes = {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind)
        and issubclass(kind, errors.PixpressError)
        and not name.startswith("_")
    }
    assert rows.keys() == classes.keys()
    for name, (code, base, when) in rows.items():
        kind = classes[name]
        assert kind.code == code
        assert kind.retryable == ("retryable" in when), name
        foreign = [
            parent.__name__
            for parent in kind.__mro__
            if parent.__module__ == "builtins" and parent not in (object, BaseException)
        ]
        assert (base or "Exception") in foreign, name
        assert base or foreign == ["Exception"], f"{name} is a {foreign[0]} too"


def test_every_public_error_is_in_the_package() -> None:
    named = re.findall(r"^\| `(\w+)` \| `\w+` \|", text_of("errors.md"), re.MULTILINE)
    assert set(named) <= set(pixpress.__all__)


def test_every_file_that_the_documents_name_exists() -> None:
    root = DOCS.parent
    if not (root / "csrc").is_dir():
        pytest.skip("not a source tree")
    pages = [*DOCS.glob("*.md"), *root.glob("*.md"), root / "benchmarks" / "README.md"]
    for page in pages:
        named = re.findall(r"`((?:csrc|src|tests|docs|benchmarks|\.ci)/[\w./]+)`", page.read_text())
        for name in named:
            assert (root / name).exists(), f"{page.name} names {name}"
