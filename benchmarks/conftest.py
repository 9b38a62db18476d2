"""Options of the benchmarks, and their findings at the end of the run."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # The benchmarks import each other's parts.

HERE = Path(__file__).parent
FINDINGS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pixpress", "benchmarks of pixpress")
    group.addoption(
        "--photos",
        type=Path,
        default=HERE.parent / "tests" / "data",
        help="folder of the JPEG photographs to work on",
    )
    group.addoption("--workers", type=int, default=2, help="threads for pixpress and its peers")
    group.addoption("--rounds", type=int, default=5, help="rounds, each of all contenders in turn")
    group.addoption("--effort", type=int, default=5, help="effort of the specification's table")
    group.addoption(
        "--scale", type=float, default=1, help="how much of the specification's batches to run"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FINDINGS] = []


@pytest.fixture(scope="session")
def workers(pytestconfig: pytest.Config) -> int:
    return pytestconfig.getoption("--workers")


@pytest.fixture(scope="session")
def rounds(pytestconfig: pytest.Config) -> int:
    return pytestconfig.getoption("--rounds")


@pytest.fixture(scope="session")
def photo_paths(pytestconfig: pytest.Config) -> list[Path]:
    folder = pytestconfig.getoption("--photos")
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        pytest.fail(f"no *.jpg in {folder}")
    return paths


@pytest.fixture(scope="session")
def photos(photo_paths: list[Path]) -> list[bytes]:
    return [path.read_bytes() for path in photo_paths]


@pytest.fixture
def finding(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a line at the end of the run."""
    return pytestconfig.stash[FINDINGS].append


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash[FINDINGS]:
        terminalreporter.section("findings: medians of interleaved rounds")
        load = os.getloadavg()[0]
        terminalreporter.write_line(
            f"{_processor()}, {os.cpu_count()} CPUs, load {load:.1f}, "
            f"{config.getoption('--workers')} workers, {config.getoption('--rounds')} rounds"
        )
        for line in config.stash[FINDINGS]:
            terminalreporter.write_line(line)
