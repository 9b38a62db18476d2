"""What takes jobs: one by one, many in order, and awaited."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from typing import Any, Literal, overload

from . import _native
from .arguments import boolean, seconds_ns
from .batch import FORMATS, Batch, group_of
from .completion import in_order
from .dispatch import Dispatcher
from .errors import PixpressError, PoolClosedError
from .foreign import ForeignSource
from .future import JobFuture
from .journal import MOST_CRASHES, is_kept
from .options import Settings, priority_value, settings_of
from .request import Path, Request, make_request
from .result import Result
from .sources import check_many, output_paths, path_text


class Submitter:
    """The half of a `Pool` that jobs enter by."""

    _dispatcher: Dispatcher
    _event_thread: int | None
    _engine: _native.Engine
    _window: int  # Jobs under way in one `map`.
    _groups_batches: bool
    _has_journal: bool
    batch: Callable[..., Batch]

    def submit(
        self,
        src: object,
        dst: Path | None = None,
        *,
        priority: object = 1,
        batch: str | None = None,
        settings: Settings | None = None,
        block: bool = True,
        timeout: float | None = None,
        persist: bool | None = None,
        **options: Any,
    ) -> JobFuture:
        """Queue a job.

        With a journal, the job is in it when this returns.

        Parameters
        ----------
        src : path, bytes-like, binary file, numpy array or PIL.Image
            As for `compress`. What is in memory is borrowed: do not change it until the job ends.
        dst : path, optional
            As for `compress`; without it the bytes are in `Result.data`.
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
        persist : bool, optional
            Whether the journal keeps the job, which only paths can be; None does if there is one.
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
        OutputError
            `dst` is a link that cannot be followed.
        QueueFullError
            The queue is full, and the wait was not allowed or is over.
        JournalError
            The journal cannot take the job: a full disk, say. Then it is not queued.
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
        request = self._request(src, dst, settings, options, persist)
        return self._queue(request, priority, batch, block, timeout)

    def _queue(
        self,
        request: Request,
        priority: object = 1,
        batch: str | None = None,
        block: bool = True,
        timeout: float | None = None,
    ) -> JobFuture:
        wait_ns = -1 if timeout is None else seconds_ns("timeout", timeout)
        if not boolean("block", block) or threading.get_ident() == self._event_thread:
            wait_ns = 0
        return self._enqueue(request, priority, wait_ns, batch)

    def _request(
        self,
        src: object,
        dst: Path | None,
        settings: Settings | None,
        options: dict[str, Any],
        persist: bool | None = None,
        follows: bool = True,
    ) -> Request:
        wanted = settings_of(settings, options)
        return make_request(src, dst, wanted, is_kept(src, persist, self._has_journal), follows)

    def _enqueue(
        self,
        request: Request,
        priority: object,
        wait_ns: int,
        batch: str | None = None,
        left: _native.JournalEntry | None = None,
    ) -> JobFuture:
        rank = priority_value(priority)
        wanted, chosen, source, path, kept = request
        if left is not None and left.crashes >= MOST_CRASHES and isinstance(source, ForeignSource):
            source = _native.NativeSource(source.name)  # The core refuses it unread.
        order: tuple[str | None, int, int] = (None, 0, 0)
        if batch is not None:
            owner = self.batch(batch)
            name = FORMATS[chosen.format] if chosen.format else source.name
            group, place = group_of(wanted, name)
            order = (batch, owner.number if self._groups_batches else 0, place)

        if isinstance(source, ForeignSource):
            future = self._import(source, request, rank, wait_ns, order, left)
        else:
            if self._dispatcher.is_importing_to_its_end:
                raise PoolClosedError("the pool takes no more jobs")
            future = JobFuture()
            rest = (rank, wait_ns, future, wanted, *order, kept, left)
            future._handle = self._engine.submit(chosen, source, path, "", *rest)
        if batch is not None:
            owner.add(future, group)
        return future

    def _import(
        self,
        source: ForeignSource,
        request: Request,
        rank: int,
        wait_ns: int,
        order: tuple[str | None, int, int],
        left: _native.JournalEntry | None,
    ) -> JobFuture:
        """The same for what Pillow is to decode first."""
        wanted, chosen, _, path, kept = request

        def announce() -> _native.JournalEntry | None:
            if kept is None or left is not None:
                return left
            return self._engine.announce(source.name, path, rank, order[0], kept)

        def hand_over(
            pixels: _native.NativeSource, to: JobFuture, entry: _native.JournalEntry | None
        ) -> _native.JobHandle:
            rest = (rank, 0, to, wanted, *order, None, entry)
            return self._engine.submit(chosen, pixels, path, "", *rest)

        self._engine.check_process()
        importer = self._dispatcher.importer()
        return importer.submit(source, wanted.limits, hand_over, rank, wait_ns, announce)

    @overload
    def map(
        self,
        sources: Iterable[object],
        *,
        out_dir: Path | None = None,
        errors: Literal["raise"] = "raise",
        **options: Any,
    ) -> Generator[Result, None, None]: ...
    @overload
    def map(
        self,
        sources: Iterable[object],
        *,
        out_dir: Path | None = None,
        errors: Literal["return"],
        **options: Any,
    ) -> Generator[Result | PixpressError, None, None]: ...
    def map(
        self,
        sources: Iterable[object],
        *,
        out_dir: Path | None = None,
        errors: Literal["raise", "return"] = "raise",
        **options: Any,
    ) -> Generator[Any, None, None]:
        """Compress many images; results come in the order of the sources.

        At most 2 x workers jobs are under way, so `sources` may be endless. Closing the iterator
        cancels them.

        Parameters
        ----------
        sources : iterable
            What `submit` takes; paths only if `out_dir` is given, and these are all read first.
        out_dir : path, optional
            Folder to write into, under the names of the sources with the extension of the format,
            for "auto" of the one that is made. The folder is made if it is missing. Links in it are
            replaced by files, never followed.
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
        OutputError
            `out_dir` cannot be made.
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
        check_many(sources, errors)
        order = ("priority", "batch", "block", "timeout")
        place = {name: options.pop(name) for name in order if name in options}
        persist = options.pop("persist", None)
        chosen = settings_of(options.pop("settings", None), options)

        def submit(src: object, dst: str | None) -> JobFuture:
            request = self._request(src, dst, chosen, {}, persist, follows=False)
            return self._queue(request, **place)

        if out_dir is None:
            works: Iterable[tuple[object, str | None]] = ((src, None) for src in sources)
        else:
            works = output_paths(list(sources), path_text("out_dir", out_dir), chosen.format)
        return in_order(submit, works, self._window, errors)

    async def compress(self, src: object, dst: Path | None = None, **options: Any) -> Result:
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
        from .arrivals import awaited, when_there_is_room

        priority = options.pop("priority", 1)
        batch, persist = options.pop("batch", None), options.pop("persist", None)
        request = self._request(src, dst, options.pop("settings", None), options, persist)
        return await awaited(
            await when_there_is_room(lambda: self._enqueue(request, priority, 0, batch))
        )

    @overload
    def as_completed(
        self, sources: Iterable[object], *, errors: Literal["raise"] = "raise", **options: Any
    ) -> AsyncGenerator[Result, None]: ...
    @overload
    def as_completed(
        self, sources: Iterable[object], *, errors: Literal["return"], **options: Any
    ) -> AsyncGenerator[Result | PixpressError, None]: ...
    def as_completed(
        self, sources: Iterable[object], *, errors: str = "raise", **options: Any
    ) -> AsyncGenerator[Any, None]:
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
        from .arrivals import as_they_complete, when_there_is_room

        check_many(sources, errors)
        priority, batch = options.pop("priority", 1), options.pop("batch", None)
        persist = options.pop("persist", None)
        settings = settings_of(options.pop("settings", None), options)

        async def submit(src: object) -> JobFuture:
            request = self._request(src, None, settings, {}, persist)
            return await when_there_is_room(lambda: self._enqueue(request, priority, 0, batch))

        return as_they_complete(sources, submit, self._window, errors)
