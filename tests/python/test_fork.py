"""What a fork does to pools, and pools to a fork. Each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENCE_S = 300
Run = Callable[..., "subprocess.CompletedProcess[str]"]

FORK = """
pool = pixpress.Pool(max_workers=2)
pixpress.compress(small, format="png")
blockers = [submit_long(pool) for _ in range(2)]
for blocker in blockers:
    await_running(blocker)
futures = [pool.submit(large[:500, :500], **SLOW) for _ in range(20)]
pid = os.fork()
if pid == 0:
    {child}
_, status = os.waitpid(pid, 0)
say(os.waitstatus_to_exitcode(status))
for blocker in blockers:
    blocker.cancel()
say(sum(future.result().width for future in futures))
pool.shutdown()
"""


@pytest.mark.parametrize(
    ("child", "code"),
    [
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("sys.exit(pixpress.compress(small, format='png').width)", 8),
        ("del pool, futures, blocker, blockers; gc.collect(); sys.exit(5)", 5),
        ("pixpress.Pool(max_workers=1).submit(small, format='png').result(); sys.exit(6)", 6),
        ("pool.__exit__(None, None, None); sys.exit(7)", 7),
    ],
)
def test_a_fork_with_a_live_pool_harms_neither_process(run: Run, child: str, code: int) -> None:
    done = run(FORK.format(child=child))
    assert done.stdout.split() == [str(code), "10000"], done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(
    "call",
    [
        "pool.submit(small, format='png')",
        "list(pool.map([small], format='png'))",
        "pool.shutdown()",
        "pool.stats()",
        "pool.trim()",
        "futures[-1].result()",
        "futures[-1].cancel()",
    ],
)
def test_an_explicit_pool_refuses_to_work_in_a_child(run: Run, call: str) -> None:
    child = f"""
    try:
        {call}
    except pixpress.ForkedPoolError:
        os._exit(9)
    os._exit(1)"""
    done = run(FORK.format(child=textwrap.dedent(child).replace("\n", "\n    ")))
    assert done.stdout.split() == ["9", "10000"], done.stderr


def test_a_child_of_a_child_makes_its_own_default_pool(run: Run) -> None:
    done = run(
        """
        pixpress.compress(small, format="png")
        for depth in range(3):
            if os.fork():
                _, status = os.wait()
                sys.exit(os.waitstatus_to_exitcode(status))
            width = pixpress.compress(small, format="png").width
        sys.exit(width)
        """
    )
    assert done.returncode == 8, done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_works_beside_a_live_pool(run: Run, method: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys
            import numpy as np
            import pixpress

            def work(side):
                return pixpress.compress(np.zeros((side, side), np.uint8), format="png")

            if __name__ == "__main__":
                work(8)
                with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
                    results = pool.map(work, range(1, 9))
                print([result.width for result in results], work(9).width)
            """
        )
    )
    done = subprocess.run(
        [sys.executable, script, method],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.stdout == "[1, 2, 3, 4, 5, 6, 7, 8] 9\n", done.stderr
    assert done.returncode == 0
