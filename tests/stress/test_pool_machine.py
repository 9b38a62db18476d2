"""Whatever is asked of a pool in whatever order, each job ends once, in one way."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from busy_pools import noise
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from PIL import Image

import pixpress

PRIORITIES = st.sampled_from(["low", "normal", "high", "critical"])
SLOW = noise(1200, 1200)
PLACE = st.integers(0, 10**6)  # Of a job among those there are, modulo their number.


def tiny_jpeg() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((16, 16)).save(out, "JPEG")
    return out.getvalue()


class PoolMachine(RuleBasedStateMachine):
    """Drives one pool after the other; checks each when it has ended."""

    steps = 0  # Of all machines so far.

    @invariant()
    def count_step(self) -> None:
        PoolMachine.steps += 1

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.jpeg = tiny_jpeg()
        self.files = 0
        self.open_pool()

    def open_pool(self) -> None:
        self.pool = pixpress.Pool(
            min_workers=1, max_workers=2, max_queue=12, max_retries=2, retry_delay=0.002
        )
        self.events = self.pool.events()
        self.futures: list[pixpress.JobFuture] = []
        self.calls: Counter[int] = Counter()

    def add(self, src: object, **options: object) -> None:
        try:
            future = self.pool.submit(src, block=False, **options)  # type: ignore[arg-type]
        except pixpress.QueueFullError:
            return
        self.futures.append(future)
        future.add_done_callback(self.count)

    def count(self, future: object) -> None:
        assert isinstance(future, pixpress.JobFuture)
        self.calls[future.task_id] += 1

    def chosen(self, place: int) -> pixpress.JobFuture | None:
        return self.futures[place % len(self.futures)] if self.futures else None

    @rule(priority=PRIORITIES, batch=st.sampled_from([None, "july"]))
    def submit(self, priority: str, batch: str | None) -> None:
        self.add(self.jpeg, priority=priority, batch=batch)

    @rule(priority=PRIORITIES, effort=st.integers(1, 9))
    def submit_what_takes_long(self, priority: str, effort: int) -> None:
        self.add(SLOW, format="png", effort=effort, priority=priority)

    @rule(data=st.sampled_from([b"no image", b"\xff\xd8\xff\xe0 cut off"]))
    def submit_what_fails(self, data: bytes) -> None:
        self.add(data)

    @rule(comes_back=st.booleans(), writes=st.booleans())
    def submit_what_is_tried_again(self, comes_back: bool, writes: bool) -> None:
        self.files += 1
        path = Path(self.folder.name) / f"{self.files}.jpg"
        path.write_bytes(self.jpeg)
        self.add(path, dst=path.with_suffix(".webp") if writes else None)
        path.rename(path.with_suffix(".away"))
        if comes_back:
            path.with_suffix(".away").rename(path)

    @rule(place=PLACE)
    def cancel(self, place: int) -> None:
        future = self.chosen(place)
        if future is not None:
            was_done = future.done()
            was_cancelled = future.cancelled()
            assert future.cancel() <= (was_cancelled or not was_done)

    @rule(place=PLACE)
    def cancel_by_number(self, place: int) -> None:
        future = self.chosen(place)
        if future is not None and self.pool.cancel(future.task_id):
            assert future.cancelled()

    @rule(place=PLACE, priority=PRIORITIES)
    def reprioritize(self, place: int, priority: str) -> None:
        future = self.chosen(place)
        if future is not None:
            self.pool.reprioritize(future.task_id, priority)

    @rule(place=PLACE)
    def wait(self, place: int) -> None:
        future = self.chosen(place)
        if future is not None and not future.cancelled():
            future.exception(timeout=60)

    @rule(task_timeout=st.sampled_from([None, 0.001, 0.02, 60]))
    def time_out(self, task_timeout: float | None) -> None:
        self.pool.update_config(task_timeout=task_timeout)

    @rule(queue_timeout=st.sampled_from([None, 0.001, 0.02, 60]))
    def time_out_in_the_queue(self, queue_timeout: float | None) -> None:
        self.pool.update_config(queue_timeout=queue_timeout)

    @rule(max_workers=st.integers(1, 3), max_retries=st.integers(0, 3))
    def update_config(self, max_workers: int, max_retries: int) -> None:
        self.pool.update_config(min_workers=1, max_workers=max_workers, max_retries=max_retries)

    @rule(memory=st.sampled_from(["1MB", "24MB", "512MB"]))
    def change_memory(self, memory: str) -> None:
        self.pool.update_config(memory_limit=memory)

    @rule()
    def trim(self) -> None:
        self.pool.trim()

    @rule(cancels=st.booleans())
    def shut_down(self, cancels: bool) -> None:
        self.end(cancels)
        self.open_pool()

    def end(self, cancels: bool) -> None:
        self.pool.shutdown(cancel_futures=cancels, timeout=120)
        with pytest.raises(pixpress.PoolClosedError):
            self.pool.submit(self.jpeg)
        ends = Counter(
            event.task_id if isinstance(event, pixpress.TaskError) else event.result.task_id
            for event in self.events
            if isinstance(event, (pixpress.TaskError, pixpress.TaskComplete))
        )
        ids = [future.task_id for future in self.futures]
        assert ends == Counter(ids), "one final event for each job"
        assert self.calls == Counter(ids), "one callback for each job"
        states = Counter(map(self.state, self.futures))
        counts = self.pool.stats()
        assert counts["submitted"] == len(ids)
        assert counts["queued"] == counts["running"] == counts["retrying"] == 0
        assert counts["reserved_memory"] == 0
        for state, name in (("done", "succeeded"), ("failed",) * 2, ("cancelled",) * 2):
            assert counts[name] == states[state]

    def state(self, future: pixpress.JobFuture) -> str:
        """The state of a job that has ended, on which all who know it agree."""
        assert future.done()
        task = self.pool.task(future.task_id)
        assert task is not None
        if future.cancelled():
            assert task.state == "cancelled"
        elif future.exception() is not None:
            assert task.state == "failed"
            assert isinstance(future.exception(), pixpress.PixpressError)
        else:
            assert task.state == "done"
            output = future.result().output_path
            assert output is None or Path(output).exists()
        return task.state

    def teardown(self) -> None:
        if hasattr(self, "pool"):
            self.end(cancels=False)
            left = [path for path in Path(self.folder.name).iterdir() if path.name[0] == "."]
            assert not left, "no temporary files"
            self.folder.cleanup()


def run(examples: int, steps: int, *, is_fixed: bool) -> int:
    """Run machines; returns how many steps that were."""
    before = PoolMachine.steps
    run_state_machine_as_test(
        PoolMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=is_fixed,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return PoolMachine.steps - before


def test_each_job_has_one_end_in_100_steps() -> None:
    assert run(8, 25, is_fixed=True) >= 100


@pytest.mark.long
def test_each_job_has_one_end_in_2000_steps() -> None:
    steps = 0
    while steps < 2000:
        steps += run(20, 50, is_fixed=False)
