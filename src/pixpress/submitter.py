"""What takes jobs: one by one, many in order, and awaited."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, overload

from . import _native
from .arguments import seconds_ns
from .batch import FORMATS, Batch, group_of
from .completion import as_they_complete
from .dispatch import Dispatcher
from .errors import (
    ForkedPoolError,
    OptionError,
    PixpressError,
    PoolClosedError,
    QueueFullError,
    expected,
)
from .foreign import ForeignSource
from .future import JobFuture
from .options import Settings, priority_value, settings_of
from .result import Result
from .sources import open_source, output_format, output_name, path_text

_RETRY_S = 0.01
_Path = str | os.PathLike[str]
_Source = _native.NativeSource | ForeignSource
_Request = tuple[Settings, _native.NativeSettings, _Source, str | None]


class Submitter:
    """The half of a `Pool` that jobs enter by."""

    _dispatcher: Dispatcher
    _event_thread: int | None
    _engine: _native.Engine
    _window: int  # Jobs under way in one `map`.
    _groups_batches: bool
    batch: Callable[..., Batch]

    def submit(
        self,
        src: object,
        dst: _Path | None = None,
        *,
        priority: object = 1,
        batch: str | None = None,
        settings: Settings | None = None,
        block: bool = True,
        timeout: float | None = None,
        **options: Any,
    ) -> JobFuture:
        """Queue a job.

        Parameters
        ----------
        src : path, bytes-like, binary file, numpy array or PIL.Image
            As for `compress`. What is in memory is borrowed: do not change it until the job ends.
        dst : path, optional
            Where to write; without it the bytes are in `Result.data`.
        priority : {"low", "normal", "high", "critical"} or Priority
            How urgent the job is.
        batch : str, optional
            The name of the batch that the job belongs to; see `Pool.batch`.
        settings : Settings, optional
            Where the keywords start from.
        block : bool
            Whether to wait while the queue is full. Never done in a callback of a future.
        timeout : float, optional
            Seconds to wait at most; None is without end.
        **options
            Fields of `Settings`; they win over `settings`.

        Returns
        -------
        JobFuture

        Raises
        ------
        OptionError
            A setting is wrong, or `src` is nothing of the above. Errors of the image itself are
            the future's.
        QueueFullError
            The queue is full, and the wait was not allowed or is over.
        PoolClosedError
            The pool was shut down.
        ForkedPoolError
            In a child process.

        Examples
        --------
        >>> import numpy as np, pixpress
        >>> with pixpress.Pool(max_workers=1) as pool:
        ...     future = pool.submit(np.zeros((4, 6), np.uint8), format="webp", lossless=True)
        ...     result = future.result(timeout=60)
        >>> result.format, result.width, result.height
        ('webp', 6, 4)
        """
        request = self._request(src, dst, settings, options)
        wait_ns = 0 if not block else -1 if timeout is None else seconds_ns("timeout", timeout)
        if wait_ns and threading.get_ident() == self._event_thread:
            wait_ns = 0
        return self._enqueue(request, priority, wait_ns, batch)

    def _request(
        self, src: object, dst: _Path | None, settings: Settings | None, options: dict[str, Any]
    ) -> _Request:
        wanted = settings_of(settings, options)
        chosen = wanted.native
        source = open_source(src)
        path = None if dst is None else path_text("dst", dst)
        format = output_format(chosen.format, path, source)
        return wanted, chosen.with_format(format), source, path

    def _enqueue(
        self, request: _Request, priority: object, wait_ns: int, batch: str | None = None
    ) -> JobFuture:
        rank = 1 if priority == 1 else priority_value(priority)
        wanted, chosen, source, path = request
        order: tuple[Any, ...] = ()
        if batch is not None:
            owner = self.batch(batch)
            name = FORMATS[chosen.format] if chosen.format else source.name
            group, place = group_of(wanted, name)
            order = (batch, owner.number if self._groups_batches else 0, place)

        def hand_over(pixels: _native.NativeSource, to: JobFuture) -> _native.JobHandle:
            return self._engine.submit(chosen, pixels, path, "", rank, 0, to, wanted, *order)

        if isinstance(source, ForeignSource):
            self._engine.check_process()
            future = self._dispatcher.importer().submit(
                source, wanted.limits, hand_over, rank, wait_ns
            )
        else:
            if self._dispatcher.is_importing_to_its_end:
                raise PoolClosedError("the pool takes no more jobs")
            future = JobFuture()
            future._handle = self._engine.submit(
                chosen, source, path, "", rank, wait_ns, future, wanted, *order
            )
        if batch is not None:
            owner.add(future, group)
        return future

    @overload
    def map(
        self,
        sources: Iterable[object],
        *,
        out_dir: _Path | None = None,
        errors: Literal["raise"] = "raise",
        **options: Any,
    ) -> Iterator[Result]: ...
    @overload
    def map(
        self,
        sources: Iterable[object],
        *,
        out_dir: _Path | None = None,
        errors: Literal["return"],
        **options: Any,
    ) -> Iterator[Result | PixpressError]: ...
    def map(
        self,
        sources: Iterable[object],
        *,
        out_dir: _Path | None = None,
        errors: Literal["raise", "return"] = "raise",
        **options: Any,
    ) -> Iterator[Result | PixpressError]:
        """Compress many images; results come in the order of the sources.

        At most 2 x workers jobs are under way, so `sources` may be endless. Closing the iterator
        cancels them.

        Parameters
        ----------
        sources : iterable
            What `submit` takes; paths only if `out_dir` is given, and these are all read first.
        out_dir : path, optional
            Folder to write into, under the names of the sources with the extension of the format.
            It is made if it is missing.
        errors : {"raise", "return"}
            Whether a failed job ends the iteration or yields its error in its place.
        **options
            As for `submit`.

        Returns
        -------
        iterator of Result, or of Result and PixpressError

        Raises
        ------
        OptionError
            An option is wrong, or two sources would be written to one output.
        PixpressError
            From the iterator: what a job failed with.

        Examples
        --------
        >>> import numpy as np, pixpress
        >>> with pixpress.Pool() as pool:
        ...     made = list(pool.map([b"no image"], errors="return"))
        >>> made[0].code
        'UNIDENTIFIED_IMAGE'
        """
        if errors not in ("raise", "return"):
            raise expected("raise or return", "errors", errors)
        rest = ("priority", "batch", "settings", "block", "timeout")
        plain = {name: value for name, value in options.items() if name not in rest}
        chosen = settings_of(options.get("settings"), plain)
        if out_dir is None:
            works: Iterable[tuple[object, str | None]] = ((src, None) for src in sources)
        else:
            works = _targets(list(sources), Path(path_text("out_dir", out_dir)), chosen.format)
        return _results(
            lambda src, dst: self.submit(src, dst, **options), works, self._window, errors
        )

    async def compress(self, src: object, dst: _Path | None = None, **options: Any) -> Result:
        """Like `submit`, awaited. Cancelling the task cancels the job, also while it runs.

        A full queue is waited for without blocking the event loop.

        Parameters
        ----------
        src, dst, **options
            As for `submit`; `block` and `timeout` are not taken.

        Returns
        -------
        Result

        Raises
        ------
        PixpressError
            What `submit` raises, or what the job failed with.

        Examples
        --------
        >>> import asyncio, numpy as np, pixpress
        >>> async def main():
        ...     with pixpress.Pool(max_workers=1) as pool:
        ...         return await pool.compress(np.zeros((4, 4), np.uint8), format="png")
        >>> asyncio.run(main()).format
        'png'
        """
        priority = options.pop("priority", 1)
        batch = options.pop("batch", None)
        request = self._request(src, dst, options.pop("settings", None), options)
        return await asyncio.wrap_future(await self._enqueue_later(request, priority, batch))

    async def _enqueue_later(
        self, request: _Request, priority: object, batch: str | None
    ) -> JobFuture:
        while True:
            try:
                return self._enqueue(request, priority, 0, batch)
            except QueueFullError:
                await asyncio.sleep(_RETRY_S)

    def as_completed(
        self, sources: Iterable[object], *, errors: str = "raise", **options: Any
    ) -> AsyncIterator[Result | PixpressError]:
        """Compress many images; results come as they end, for ``async for``.

        At most 2 x workers jobs are under way, so `sources` may be endless. Closing the iterator,
        or cancelling the task that awaits it, cancels them.

        Parameters
        ----------
        sources : iterable
            What `submit` takes.
        errors : {"raise", "return"}
            Whether a failed job ends the iteration or yields its error.
        **options
            As for `compress`.

        Returns
        -------
        async iterator of Result, or of Result and PixpressError
        """
        if errors not in ("raise", "return"):
            raise expected("raise or return", "errors", errors)
        priority, batch = options.pop("priority", 1), options.pop("batch", None)
        settings = settings_of(options.pop("settings", None), options)

        async def submit(src: object) -> JobFuture:
            return await self._enqueue_later(
                self._request(src, None, settings, {}), priority, batch
            )

        return as_they_complete(sources, submit, self._window, errors)


def _results(
    submit: Callable[[object, str | None], JobFuture],
    works: Iterable[tuple[object, str | None]],
    window: int,
    errors: str,
) -> Iterator[Any]:
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


def _targets(sources: list[object], out_dir: Path, format: str) -> list[tuple[object, str | None]]:
    """Each source with its output; refuses two for one output before any work starts."""
    by_output: dict[str, str] = {}
    for src in sources:
        name = path_text("sources with out_dir", src)
        output = str(out_dir / output_name(os.path.basename(name), format))
        if output in by_output:
            raise OptionError(f"{by_output[output]} and {name} would both be written to {output}")
        by_output[output] = name
    out_dir.mkdir(parents=True, exist_ok=True)
    return [(src, output) for output, src in by_output.items()]
