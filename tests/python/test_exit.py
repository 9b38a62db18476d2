"""How programs end: Ctrl-C, errors, exit with work left, fork. Each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from busy_pools import Blocker

import pixpress

# Far more than any of this takes; what is left undone here would take longer still.
PATIENCE_S = 300
Program = Callable[[str], list[str]]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    for said in process.stdout:
        if said.strip() == line:
            return
    assert process.stderr is not None
    pytest.fail(f"never said {line!r}: {process.stderr.read()}")


def test_ctrl_c_in_compress_raises_at_once_and_leaves_the_pool_usable(run: Run) -> None:
    done = run(
        """
        pool = default_pool()
        interrupt_when_waiting(pool)
        try:
            pixpress.compress(noise(3000, 3000), **LONG)
            say("not interrupted")
        except KeyboardInterrupt:
            say("interrupted")
        say(pixpress.compress(small, format="png").format)
        """
    )
    assert done.stdout.split() == ["interrupted", "png"], done.stderr
    assert done.returncode == 0


def test_ctrl_c_in_result_raises_and_the_job_goes_on(run: Run) -> None:
    done = run(
        """
        with pixpress.Pool(max_workers=1) as pool:
            running = Blocker(pool).future
            queued = pool.submit(small, format="png")
            for future in (running, queued):
                interrupt_when_waiting(pool)
                try:
                    future.result()
                    say("not interrupted")
                except KeyboardInterrupt:
                    say("interrupted")
            say(running.running())
            running.cancel()
            say(queued.result().format)
        """
    )
    assert done.stdout.split() == ["interrupted", "interrupted", "True", "png"], done.stderr
    assert done.returncode == 0


def test_an_exception_in_the_block_stops_running_jobs_and_cancels_queued_ones(run: Run) -> None:
    done = run(
        """
        futures = []
        try:
            with pixpress.Pool(max_workers=1) as pool:
                futures.append(Blocker(pool).future)
                futures += [pool.submit(small, format="png") for _ in range(299)]
                raise ZeroDivisionError
        except ZeroDivisionError:
            say(sum(future.cancelled() for future in futures))
        """
    )
    assert done.stdout.split() == ["300"], done.stderr
    assert done.returncode == 0


def test_ctrl_c_while_the_block_waits_stops_everything(program: Program) -> None:
    with started(
        program(
            """
        with pixpress.Pool(max_workers=1) as pool:
            futures = [pool.submit(large, **SLOW) for _ in range(300)]
            futures[0].add_done_callback(lambda future: say("first"))
        """
        )
    ) as process:
        heard(process, "first")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == -signal.SIGINT


@pytest.mark.parametrize("ending", ["", "sys.exit(7)", "del pool; gc.collect()"])
def test_an_exit_finishes_queued_work_and_keeps_the_code(
    run: Run, ending: str, tmp_path: Path
) -> None:
    done = run(
        f"""
        pool = pixpress.Pool(max_workers=1)
        for i in range(40):
            pool.submit(large[:200, :300], f"{{sys.argv[1]}}/{{i}}.png", effort=9)
        {ending}
        """,
        tmp_path,
    )
    assert done.returncode == (7 if "exit" in ending else 0), done.stderr
    assert done.stderr == ""
    assert len(list(tmp_path.glob("*.png"))) == 40


def test_an_uncaught_error_finishes_queued_work_too(run: Run, tmp_path: Path) -> None:
    done = run(
        """
        pool = pixpress.Pool(max_workers=1)
        for i in range(10):
            pool.submit(large[:200, :300], f"{sys.argv[1]}/{i}.png")
        raise ZeroDivisionError
        """,
        tmp_path,
    )
    assert done.returncode == 1
    assert len(list(tmp_path.glob("*.png"))) == 10


def test_ctrl_c_while_the_exit_waits_ends_by_sigint_and_says_what_was_not_done(
    program: Program,
) -> None:
    with started(
        program(
            """
        pool = pixpress.Pool(max_workers=1)
        Blocker(pool)
        futures = [pool.submit(small, format="png") for _ in range(9)]

        def say_when_exiting():
            while not main_is_in("_finish_at_exit") or not pool._dispatcher.is_closed:
                os.sched_yield()
            say("exits")

        threading.Thread(target=say_when_exiting, daemon=True).start()
        """
        )
    ) as process:
        heard(process, "exits")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == -signal.SIGINT
        assert errors == "pixpress: interrupted, 10 jobs were not done\n"


def test_an_uncaught_ctrl_c_does_not_finish_the_queue(program: Program) -> None:
    with started(
        program(
            """
        pool = pixpress.Pool(max_workers=1)
        futures = [pool.submit(large, **SLOW) for _ in range(300)]
        futures[0].add_done_callback(lambda future: say("first"))
        futures[299].result()
        """
        )
    ) as process:
        heard(process, "first")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == -signal.SIGINT
        assert errors.splitlines()[-1].endswith(" jobs were not done"), errors


def test_a_job_that_cannot_be_stopped_does_not_keep_an_interrupted_program(
    program: Program,
) -> None:
    with started(
        program(
            """
        pool = pixpress.Pool(max_workers=1)
        huge = np.concatenate([large] * 4)
        future = pool.submit(huge, format="webp", lossless=True, effort=10)
        while not future.running():
            os.sched_yield()
        say("running")
        future.result()
        """
        )
    ) as process:
        heard(process, "running")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == -signal.SIGINT
        assert errors.splitlines()[-1] == "pixpress: interrupted, 1 job was not done"


def test_os_exit_leaves_without_waiting(run: Run) -> None:
    done = run(
        """
        pool = pixpress.Pool(max_workers=1)
        futures = [pool.submit(large, **SLOW) for _ in range(300)]
        os._exit(5)
        """
    )
    assert (done.returncode, done.stderr) == (5, "")


def test_a_pool_may_be_closed_twice(photo_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(photo_jpeg)
        pool.shutdown()
        pool.shutdown(wait=False)
    pool.shutdown(cancel_futures=True)
    assert future.result().compressed_size > 0
    with pytest.raises(pixpress.PoolClosedError), pool:
        pass


def test_shutdown_gives_up_after_its_time(photo: np.ndarray) -> None:
    pool = pixpress.Pool(max_workers=1)
    blocker = Blocker(pool)
    futures = [pool.submit(photo, format="png") for _ in range(8)]
    pool.shutdown(timeout=0.001, cancel_futures=True)
    assert blocker.future.running()
    blocker.release()
    pool.shutdown()
    assert all(future.cancelled() for future in futures)


def test_a_callback_that_ends_badly_does_not_stop_the_others(
    photo_jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reached = threading.Event()

    def leave(_future: object) -> None:
        raise SystemExit

    with pixpress.Pool(max_workers=1) as pool:
        # A callback of a job that has ended runs in this thread, which would leave instead.
        blocker = Blocker(pool)
        pool.submit(photo_jpeg).add_done_callback(leave)
        pool.submit(photo_jpeg).add_done_callback(lambda _future: reached.set())
        blocker.release()
        assert reached.wait(PATIENCE_S)
    assert "a callback of job 2 ended badly" in caplog.text
