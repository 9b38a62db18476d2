"""The command's options of its pool: where they come from, and what they do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pixpress import cli


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, object]]:
    """What the pool of a command was made with, and how the core has it."""
    found: dict[str, dict[str, object]] = {}

    class SeenPool(cli.Pool):
        def __init__(self, **options: object) -> None:
            super().__init__(**options)  # type: ignore[arg-type]
            task = self.task(self.submit(b"none").task_id)
            assert task is not None
            found["given"] = options
            found["pool"] = {"retries": task.max_retries, **self.stats()}

    monkeypatch.setattr(cli, "Pool", SeenPool)
    return found


@pytest.fixture
def image(tmp_path: Path, photo_jpeg: bytes) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(photo_jpeg)
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "worker-config.yaml"
    path.write_text("worker: {recovery: {maxRetries: 2}, memory: {globalLimit: 96MB}}")
    return path


def compress(image: Path, *arguments: object) -> None:
    output = image.with_suffix(".webp")
    command = ["compress", str(image), "-o", str(output), "--overwrite", "all", "--quiet"]
    done = CliRunner().invoke(cli.main, [*command, *map(str, arguments)])
    assert done.exit_code == 0, done.output


def test_options_that_are_not_given_are_left_to_others(
    image: Path, seen: dict[str, dict[str, object]]
) -> None:
    compress(image)
    assert seen["given"] == {}


def test_arguments_win_over_the_environment_over_the_file_over_defaults(
    image: Path,
    config: Path,
    seen: dict[str, dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compress(image)
    assert seen["pool"]["retries"] == 3
    compress(image, "--config", config)
    assert seen["pool"]["retries"] == 2
    monkeypatch.setenv("PIXPRESS_MAX_RETRIES", "5")
    compress(image, "--config", config)
    assert seen["pool"]["retries"] == 5
    assert seen["pool"]["memory_limit"] == 96 << 20
    compress(image, "--config", config, "--retries", 0, "--memory", "48MB")
    assert seen["pool"]["retries"] == 0
    assert seen["pool"]["memory_limit"] == 48 << 20


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pixpress", *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)


def test_timeout_fails_a_file_that_takes_longer(image: Path, tmp_path: Path) -> None:
    done = run("compress", image, "-o", tmp_path / "a.webp", "--timeout", "0.000001")
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "0 of 1 done, 1 failed" in done.stderr


def test_a_wrong_configuration_is_wrong_usage(image: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("worker: {pool: {maxx: 1}}")
    done = run("compress", image, "-o", tmp_path / "a.webp", "--config", path)
    assert done.returncode == 2
    assert "worker.pool.maxx" in done.stderr
    assert not (tmp_path / "a.webp").exists()


def test_persist_queue_of_a_file_keeps_the_jobs_of_the_command(image: Path, tmp_path: Path) -> None:
    path = tmp_path / "persist.yaml"
    path.write_text("worker: {recovery: {persistQueue: true}}")
    state = tmp_path / "state"
    output = tmp_path / "a.webp"
    done = run("compress", image, "-o", output, "--config", path, XDG_STATE_HOME=str(state))
    assert done.returncode == 0, done.stderr
    assert output.exists()
    assert any(state.rglob("*.db"))
    refused = run("compress", image, "-o", "-", "--config", path, XDG_STATE_HOME=str(state))
    assert refused.returncode == 2
    assert "neither standard streams" in refused.stderr
