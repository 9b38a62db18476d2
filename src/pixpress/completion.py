"""Results of many jobs, in the order of their sources."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any

from .errors import ForkedPoolError, PixpressError, PoolClosedError
from .future import JobFuture
from .result import Result


def in_order(
    submit: Callable[[object, str | None], JobFuture],
    works: Iterable[tuple[object, str | None]],
    window: int,
    errors: str,
) -> Generator[Any, None, None]:
    """Keep `window` jobs under way and yield outcomes; cancels the rest when closed."""
    waiting: deque[JobFuture | PixpressError] = deque()
    try:
        for src, dst in works:
            try:
                waiting.append(submit(src, dst))
            except (PoolClosedError, ForkedPoolError):
                raise
            except PixpressError as error:
                waiting.append(error)
            if len(waiting) >= window:
                yield _outcome(waiting.popleft(), errors)
        while waiting:
            yield _outcome(waiting.popleft(), errors)
    finally:
        for slot in waiting:
            if isinstance(slot, JobFuture):
                slot.cancel()


def _outcome(slot: JobFuture | PixpressError, errors: str) -> Result | PixpressError:
    try:
        if isinstance(slot, JobFuture):
            return slot.result()
        raise slot
    except PixpressError as error:
        if errors == "raise":
            raise
        return error
