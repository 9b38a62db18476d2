"""The build says which Debian packages it lacks, by name, before it compiles anything."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def required() -> dict[str, str]:
    """Return the table of setup.py: pkg-config module to Debian package."""
    if not (ROOT / "setup.py").exists():
        pytest.skip("not a source tree")
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LIBRARIES":
            return ast.literal_eval(node.value)
    raise AssertionError("setup.py has no table LIBRARIES")


@pytest.fixture
def build(tmp_path: Path):
    """Run the build on a copy of the sources, with changes to its environment."""
    pytest.importorskip("Cython", reason="the build needs Cython: not in a test of a wheel")
    required()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("csrc", "src"):
        ignore = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)

    def run(**environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "setup.py", "build_ext", "--inplace"],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode != 0, "the build should have failed"
        assert not (tmp_path / "build" / "core").exists(), "it configured the core all the same"
        return done.stderr

    return run


def test_missing_libraries_are_named_with_their_debian_packages(build, tmp_path: Path) -> None:
    empty = tmp_path / "no_libraries"
    empty.mkdir()
    said = build(PKG_CONFIG_LIBDIR=str(empty), PKG_CONFIG_PATH="")
    assert "Traceback" not in said
    (advice,) = [line for line in said.splitlines() if "apt-get install" in line]
    assert advice.split("apt-get install ")[1].split() == list(dict.fromkeys(required().values()))


def test_one_missing_library_is_named_alone(build, tmp_path: Path) -> None:
    found = subprocess.run(
        ["pkg-config", "--variable", "pc_path", "pkg-config"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    others = tmp_path / "without_webp"
    others.mkdir()
    for folder in map(Path, found.split(":")):
        for module in folder.glob("*.pc"):
            if not module.name.startswith("libwebp") and not (others / module.name).exists():
                (others / module.name).symlink_to(module)
    said = build(PKG_CONFIG_LIBDIR=str(others), PKG_CONFIG_PATH="")
    (advice,) = [line for line in said.splitlines() if "apt-get install" in line]
    assert advice.endswith("apt-get install libwebp-dev")
    assert "libwebpmux" in advice


def test_a_missing_tool_is_named_with_its_debian_package(build, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("cmake", "ninja"):
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)
    said = build(PATH=str(tools))
    (advice,) = [line for line in said.splitlines() if "apt-get install" in line]
    assert advice.endswith("apt-get install pkg-config")


def test_the_core_and_the_module_ask_for_the_same_libraries() -> None:
    listed = (ROOT / "csrc" / "CMakeLists.txt").read_text() if required() else ""
    of_core = dict(re.findall(r'^pixpress_find\(\w+ "?([\w-]+)\S* (\S+)\)', listed, re.MULTILINE))
    assert of_core == required()


def test_every_named_package_is_in_the_list_that_is_installed() -> None:
    packages = required().values()
    assert set(packages) <= set((ROOT / "packages-debian.txt").read_text().split())
