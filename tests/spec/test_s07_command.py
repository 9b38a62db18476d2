"""S7: the command with a cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cached_pools import entries
from click.testing import CliRunner

from pixpress import cli


@pytest.fixture
def photos(tmp_path: Path, tiny_jpeg: bytes) -> Path:
    made = tmp_path / "photos"
    made.mkdir()
    for number in range(3):
        (made / f"{number}.jpg").write_bytes(tiny_jpeg)
    return made


def command(photos: Path, *arguments: object) -> str:
    options = ["-R", "-o", str(photos.parent / "out"), "--overwrite", "all"]
    done = CliRunner().invoke(cli.main, ["compress", str(photos), *options, *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_answers_from_the_cache(photos: Path, folder: Path) -> None:
    home = photos.parent / "home" / "pixpress" / "results"
    assert "from the cache" not in command(photos)
    assert not home.exists()
    assert "from the cache" not in command(photos, "--cache")
    output = command(photos, "--cache")
    assert "3 of 3 done, 3 from the cache;" in output
    assert output.count("(from the cache)") == 3
    assert len(entries(home)) == 3
    assert "from the cache" not in command(photos, "--cache-dir", folder)
    rows = command(photos, "--cache-dir", folder, "--json")
    first = json.loads(rows.splitlines()[0])
    assert first["from_cache"] is True
    report = photos.parent / "report.html"
    command(photos, "--cache", "--report", report)
    assert "3 of 3" in report.read_text().split("From the cache")[1][:100]
    assert len(entries(home)) == 3, "the pictures of the report are not kept"


def test_the_commands_option_wins_over_its_configuration(photos: Path, tmp_path: Path) -> None:
    config = tmp_path / "worker-config.yaml"
    config.write_text("worker: {performance: {enableCaching: true, cacheSize: 1MB}}")
    command(photos, "--config", config)
    assert "3 from the cache" in command(photos, "--config", config)
    assert "from the cache" not in command(photos, "--config", config, "--no-cache")
    done = CliRunner().invoke(
        cli.main, ["compress", str(photos), "-R", "-o", "out", "--no-cache", "--cache-dir", "x"]
    )
    assert done.exit_code == 2
    assert "contradict" in done.output


def test_a_walk_leaves_the_cache_out(photos: Path, tiny_jpeg: bytes) -> None:
    """By device and inode, whatever name leads to it."""
    folder = photos / "cache"
    command(photos, "--cache-dir", folder)
    (folder / "stray.jpg").write_bytes(tiny_jpeg)
    other_name = photos.parent / "link"
    other_name.symlink_to(folder)
    output = command(photos, "--cache-dir", other_name.resolve() / ".." / "cache")
    assert "3 of 3 done, 3 from the cache" in output
    assert "no images" not in output
    assert "stray" not in output
    assert "stray" in command(photos), "without the cache it is a folder like any other"
