"""Results of jobs in an event loop: one that is awaited, or many as they come."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any

from .errors import ForkedPoolError, PixpressError, PoolClosedError, QueueFullError
from .future import JobFuture
from .result import Result

_RETRY_S = 0.01


async def when_there_is_room(enqueue: Callable[[], JobFuture]) -> JobFuture:
    """Call `enqueue` until the queue is not full, without blocking the loop."""
    while True:
        try:
            return enqueue()
        except QueueFullError:
            await asyncio.sleep(_RETRY_S)


class _Doorbell:
    """Hands outcomes over to the waiters of one loop; wakes it once for each group of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._ended: deque[tuple[asyncio.Future[Result], Any]] = deque()
        self._has_rung = False

    def ring(self, waiter: asyncio.Future[Result], future: Any) -> None:
        """Called on any thread."""
        self._ended.append((waiter, future))
        loop = self._loop()
        if self._has_rung or loop is None:
            return
        self._has_rung = True
        try:
            loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # The loop was closed: nobody waits any more.
            return

    def _answer(self) -> None:
        self._has_rung = False  # Whoever comes from here on rings again.
        while self._ended:
            waiter, future = self._ended.popleft()
            if waiter.done():
                continue
            if future.cancelled():
                waiter.cancel()
            elif (error := future.exception(0)) is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(future.result(0))


_doorbells: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Doorbell]
_doorbells = weakref.WeakKeyDictionary()


async def awaited(future: JobFuture) -> Result:
    """The result of a job; when the task that waits is cancelled, so is the job."""
    loop = asyncio.get_running_loop()
    bell = _doorbells.get(loop)
    if bell is None:
        bell = _doorbells[loop] = _Doorbell(loop)
    waiter: asyncio.Future[Result] = loop.create_future()
    future.add_done_callback(functools.partial(bell.ring, waiter))
    try:
        return await waiter
    except asyncio.CancelledError:
        future.cancel()
        raise


class _Arrivals:
    """Futures that have ended; wakes the loop once for each group of them."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended: deque[JobFuture] = deque()
        self._is_new = asyncio.Event()
        self._is_called = False

    def add(self, future: Any) -> None:
        """Called on any thread."""
        self._ended.append(future)
        if not self._is_called:
            self._is_called = True
            try:
                self._loop.call_soon_threadsafe(self._is_new.set)
            except RuntimeError:  # The loop was closed: nobody waits any more.
                return

    async def take(self) -> list[JobFuture]:
        """All that have ended since the last call, at least one."""
        await self._is_new.wait()
        self._is_new.clear()
        self._is_called = False  # Whoever comes from here on calls again.
        taken = []
        while self._ended:
            taken.append(self._ended.popleft())
        return taken


async def _slot_of(submitted: Awaitable[JobFuture]) -> JobFuture | PixpressError:
    """The future, or what is wrong with this one source."""
    try:
        return await submitted
    except (PoolClosedError, ForkedPoolError):
        raise
    except PixpressError as error:
        return error


async def as_they_complete(
    works: Iterable[Any],
    submit: Callable[[Any], Awaitable[JobFuture]],
    window: int,
    errors: str,
) -> AsyncGenerator[Result | PixpressError, None]:
    """Keep `window` jobs under way and yield what has ended; cancels the rest when closed."""
    arrivals = _Arrivals()
    pending: set[JobFuture] = set()
    waiting = iter(works)
    is_over = False
    try:
        while True:
            while not is_over and len(pending) < window:
                try:
                    work = next(waiting)
                except StopIteration:
                    is_over = True
                    break
                slot = await _slot_of(submit(work))
                if isinstance(slot, JobFuture):
                    pending.add(slot)
                    slot.add_done_callback(arrivals.add)
                elif errors == "return":
                    yield slot
                else:
                    raise slot
            if not pending:
                return
            for future in await arrivals.take():
                pending.discard(future)
                error = future.exception(0)
                if error is None:
                    yield future.result(0)
                elif errors == "return" and isinstance(error, PixpressError):
                    yield error
                else:
                    raise error
    finally:
        for future in pending:
            future.cancel()
