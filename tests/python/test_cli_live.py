"""What a terminal sees while the command works."""

from __future__ import annotations

import io
from pathlib import Path

from busy_pools import LONG, Blocker, await_running, noise
from rich.console import Console

import pixpress
from pixpress.cli_live import LiveView


def seen(view: LiveView, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(view.render())
    return captured.get()


def view_of(pool: pixpress.Pool, total: int = 10) -> LiveView:
    return LiveView(pool, total, Console(file=io.StringIO(), force_terminal=True))


def test_the_bar_tells_files_and_savings() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        view = view_of(pool)
        view.update(4, 3 << 20)
        told = seen(view)
    assert "4/10 files" in told
    assert "3.0 MB saved" in told


def test_workers_queue_and_memory_are_told() -> None:
    with pixpress.Pool(min_workers=1, max_workers=1, memory_limit="1GB") as pool:
        view = view_of(pool)
        assert "worker 0 idle" in seen(view)
        blocker = Blocker(pool)
        for _ in range(3):
            pool.submit(noise(16, 16), format="png")
        told = seen(view)
        blocker.release()
    line = next(line for line in told.splitlines() if line.startswith("worker 0"))
    assert "<array>" in line
    assert line.rstrip().endswith(" s")
    assert "queue: 3 waiting; memory: " in told
    assert "reserved of 1.0 GB" in told
    assert "memory: 0 bytes" not in told


def test_file_names_are_text_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31m[bold]\u202e.png"
    path.write_bytes(pixpress.encode(noise(3000, 3000), "png", effort=1))
    with pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(path, **LONG)
        await_running(future)
        told = seen(view_of(pool), width=400)
        future.cancel()
    assert r"\x1b[31m[bold]\u202e.png" in told
    assert "\x1b[31m" not in told


def test_more_workers_than_lines_are_counted() -> None:
    with pixpress.Pool(min_workers=10, max_workers=10) as pool:
        told = seen(view_of(pool))
    assert "and 2 more workers" in told


def test_lines_stay_above_the_view() -> None:
    out = io.StringIO()
    with pixpress.Pool(max_workers=1) as pool:
        view = LiveView(pool, 1, Console(file=out, force_terminal=True, width=100))
        with view:
            view.say("a.jpg -> \x1b]0;title\x07")
    assert r"a.jpg -> \x1b]0;title\x07" in out.getvalue()
