"""What a pool reports while it works: typed events, and streams of them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar

from .errors import PixpressError
from .health import HealthReport
from .result import Result

_log = logging.getLogger("pixpress")
_MOST_WAITING = 10_000


@dataclass(frozen=True)
class TaskComplete:
    """A job has succeeded.

    Examples
    --------
    >>> TaskComplete.type
    'TASK_COMPLETE'
    """

    type: ClassVar[str] = "TASK_COMPLETE"
    task_id: int
    result: Result


@dataclass(frozen=True)
class TaskError:
    """A job has failed for good, or was cancelled (`error` is None)."""

    type: ClassVar[str] = "TASK_ERROR"
    task_id: int
    error: PixpressError | MemoryError | None
    batch_id: str | None = None


@dataclass(frozen=True)
class TaskProgress:
    """How far a job is.

    `stage` is one of reading, processing, writing, optimizing; `percentage` rises to 100;
    `current_operation` is the core's own name for the step.
    """

    type: ClassVar[str] = "TASK_PROGRESS"
    task_id: int
    stage: str
    percentage: float
    current_operation: str


@dataclass(frozen=True)
class TaskRetry:
    """An attempt has failed with `error`; the next begins after `delay` seconds."""

    type: ClassVar[str] = "TASK_RETRY"
    task_id: int
    error: PixpressError
    delay: float


@dataclass(frozen=True)
class MemoryWarning:
    """Jobs hold `used` of `limit` bytes, past the threshold, and nothing can be given back."""

    type: ClassVar[str] = "MEMORY_WARNING"
    used: int
    limit: int


@dataclass(frozen=True)
class CacheWarning:
    """The disk of the cache fails with `error`. Comes once; jobs go on without the cache."""

    type: ClassVar[str] = "CACHE_WARNING"
    error: PixpressError


@dataclass(frozen=True)
class WorkerReady:
    """A worker has started."""

    type: ClassVar[str] = "READY"
    worker_id: int


@dataclass(frozen=True)
class WorkerEnded:
    """A worker has ended, since it was idle or the pool ends."""

    type: ClassVar[str] = "WORKER_ENDED"
    worker_id: int


@dataclass(frozen=True)
class WorkerStuck:
    """A worker did not stop after the time-out of its job, and was replaced."""

    type: ClassVar[str] = "WORKER_STUCK"
    worker_id: int
    task_id: int


Event = (
    TaskComplete
    | TaskError
    | TaskProgress
    | TaskRetry
    | MemoryWarning
    | CacheWarning
    | WorkerReady
    | WorkerEnded
    | WorkerStuck
    | HealthReport
)


class EventStream:
    """Events of one pool from the moment of its making on, oldest first.

    Iterating waits for the next event and ends with the pool, or with `close`. A slow reader loses
    the oldest progress, counted in `dropped`, and never an event of another kind. It may also be
    used in a ``with`` block.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: deque[Event] = deque()
        self._is_closed = False
        self.dropped = 0

    def put(self, event: Event) -> None:
        """Add an event; the pool does this."""
        with self._changed:
            if self._is_closed:
                return
            if isinstance(event, TaskProgress) and len(self._events) >= _MOST_WAITING:
                self._drop_progress()
            self._events.append(event)
            self._changed.notify()

    def _drop_progress(self) -> None:
        for place, waiting in enumerate(self._events):
            if isinstance(waiting, TaskProgress):
                del self._events[place]
                self.dropped += 1
                return

    def get(self, timeout: float | None = None) -> Event | None:
        """The next event; None after `timeout` seconds, and when there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._is_closed, timeout)
            return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Take no more events; those that wait can still be read."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Event]:
        while (event := self.get()) is not None:
            yield event

    def __enter__(self) -> EventStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@dataclass
class EventHub:
    """Hands each event to every stream."""

    on_change: Callable[[bool], None]  # Told whether anybody listens.
    _streams: list[EventStream] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_closed: bool = False

    def open(self) -> EventStream:
        """A new stream; one that has ended after `close`."""
        stream = EventStream()
        with self._lock:
            if self._is_closed:
                stream.close()
                return stream
            self._streams = [*self._streams, stream]
            self.on_change(True)
        return stream

    def publish(self, event: Event) -> None:
        """Give `event` to all, and forget streams that were closed."""
        for stream in self._streams:
            stream.put(event)
        if any(stream._is_closed for stream in self._streams):
            with self._lock:
                self._streams = [stream for stream in self._streams if not stream._is_closed]
                self.on_change(bool(self._streams))

    @property
    def has_listeners(self) -> bool:
        """Whether publishing is of any use."""
        return bool(self._streams)

    def close(self) -> None:
        """End all streams, and those that are still to come."""
        with self._lock:
            self._is_closed = True
            for stream in self._streams:
                stream.close()


def call_with_each(stream: EventStream, callback: Callable[[Event], object]) -> None:
    """Run `callback` for each event on a thread of its own; what it raises is logged."""

    def run() -> None:
        for event in stream:
            try:
                callback(event)
            except Exception:
                _log.exception("a subscriber failed on %s", event.type)

    threading.Thread(target=run, name="pixpress-subscriber", daemon=True).start()
