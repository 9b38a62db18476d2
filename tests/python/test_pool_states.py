"""A model of a pool: whatever is done to it, each job has exactly one final state."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import pixpress

# The long run: PIXPRESS_TEST_STEPS=2000.
STEPS = int(os.environ.get("PIXPRESS_TEST_STEPS", "60"))
_SLOW = np.random.default_rng(1).integers(0, 256, (700, 700, 3), dtype=np.uint8)
_QUICK = _SLOW[:16, :16]
# What Pillow decodes has no number before the core has it; test_importer.py has its states.
_FOREIGN = (b"II", b"MM", b"BM", b"P", b"\0\0\1\0")


class PoolStates(RuleBasedStateMachine):
    """Random work and trouble; `teardown` checks what must hold for every job."""

    def __init__(self) -> None:
        super().__init__()
        self.futures: list[pixpress.JobFuture] = []
        self.outcomes: dict[int, list[str]] = {}
        self.cancelled: set[int] = set()
        self.folder = tempfile.TemporaryDirectory()
        self.is_closed = False

    @initialize(workers=st.integers(1, 4), queue_timeout=st.sampled_from([None, 0.02, 10.0]))
    def start(self, workers: int, queue_timeout: float | None) -> None:
        self.pool = pixpress.Pool(
            max_workers=workers, queue_timeout=queue_timeout, retry_delay=0.002, max_retries=2
        )
        self.events = self.pool.events()

    def _note(self, future: pixpress.JobFuture) -> None:
        error = None if future.cancelled() else future.exception()
        kind = "cancelled" if future.cancelled() else "done" if error is None else "failed"
        self.outcomes.setdefault(id(future), []).append(kind)

    def _add(self, src: object, **options: object) -> None:
        try:
            future = self.pool.submit(src, **options)  # type: ignore[arg-type]
        except pixpress.PoolClosedError:
            assert self.is_closed
            return
        assert not self.is_closed
        future.add_done_callback(self._note)
        self.futures.append(future)

    @rule(priority=st.integers(0, 3), batch=st.sampled_from([None, "a", "b"]))
    def submit_quick(self, priority: int, batch: str | None) -> None:
        self._add(_QUICK, format="png", priority=priority, batch=batch)

    @rule(priority=st.integers(0, 3))
    def submit_slow(self, priority: int) -> None:
        self._add(_SLOW, format="png", priority=priority)

    @rule(data=st.binary(max_size=40).filter(lambda data: not data.startswith(_FOREIGN)))
    def submit_garbage(self, data: bytes) -> None:
        self._add(data)

    @rule()
    def submit_what_vanishes(self) -> None:
        path = Path(self.folder.name) / f"{len(self.futures)}.bin"
        path.write_bytes(b"x" * 20)
        self._add(path)
        path.unlink()

    @precondition(lambda self: self.futures)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        future = data.draw(st.sampled_from(self.futures))
        if future.cancel():
            self.cancelled.add(id(future))
            assert future.cancelled()

    @precondition(lambda self: self.futures)
    @rule(data=st.data(), priority=st.integers(0, 3))
    def reprioritize(self, data: st.DataObject, priority: int) -> None:
        future = data.draw(st.sampled_from(self.futures))
        self.pool.reprioritize(future.task_id, priority)
        assert self.pool.task(future.task_id) is not None

    @precondition(lambda self: self.futures)
    @rule(data=st.data())
    def wait(self, data: st.DataObject) -> None:
        future = data.draw(st.sampled_from(self.futures))
        if not future.cancelled():
            future.exception(timeout=60)

    @rule(
        workers=st.integers(1, 4),
        timeout=st.sampled_from([None, 0.001, 10.0]),
        retries=st.integers(0, 3),
    )
    def update(self, workers: int, timeout: float | None, retries: int) -> None:
        self.pool.update_config(max_workers=workers, task_timeout=timeout, max_retries=retries)

    @rule(percent=st.integers(0, 99))
    def shutdown_at_times(self, percent: int) -> None:
        if percent == 0:
            self.pool.shutdown(wait=False, cancel_futures=True)
            self.is_closed = True

    def teardown(self) -> None:
        with self.folder:
            self._check()

    def _check(self) -> None:
        self.pool.shutdown()
        ends: dict[int, int] = {}
        for event in self.events:
            if isinstance(event, (pixpress.TaskComplete, pixpress.TaskError)):
                ends[event.task_id] = ends.get(event.task_id, 0) + 1
        for future in self.futures:
            assert future.done()
            assert len(self.outcomes[id(future)]) == 1
            assert ends[future.task_id] == 1
            assert (id(future) in self.cancelled) <= future.cancelled()
        counts = self.pool.stats()
        assert counts["queued"] == counts["running"] == counts["retrying"] == 0
        assert counts["submitted"] == len(self.futures)
        ended = counts["succeeded"] + counts["failed"] + counts["cancelled"]
        assert ended == len(self.futures)
        assert counts["reserved_memory"] == 0


PoolStates.TestCase.settings = settings(
    max_examples=max(4, STEPS // 50),
    stateful_step_count=min(STEPS, 50),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestPoolStates = PoolStates.TestCase
