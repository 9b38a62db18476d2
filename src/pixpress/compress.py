"""One image at a time, on a default pool that is made when first needed."""

from __future__ import annotations

import os
import threading
from typing import Any

from .pool import Pool
from .result import Result

_lock = threading.Lock()
_options: dict[str, Any] = {}
_pool: Pool | None = None


def _forget_after_fork() -> None:
    global _lock, _pool
    _lock = threading.Lock()
    _pool = None


os.register_at_fork(after_in_child=_forget_after_fork)


def default_pool() -> Pool:
    """The pool behind `compress`; made lazily, and anew after a fork."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = Pool(**_options)
        return _pool


def configure(**pool_options: Any) -> None:
    """Make the default pool anew, best before its first use.

    Jobs of the old one are finished. A forked child makes its own with the same options.

    Parameters
    ----------
    **pool_options
        Parameters of `Pool`.

    Raises
    ------
    OptionError
        An option is unknown or out of range; the old pool stays.

    Examples
    --------
    >>> configure(max_workers=2, memory_limit="512MB")
    >>> configure()
    """
    global _options, _pool
    fresh = Pool(**pool_options)
    with _lock:
        old, _pool, _options = _pool, fresh, pool_options
    if old is not None:
        old.shutdown(wait=False)


def compress(src: Any, dst: str | os.PathLike[str] | None = None, **settings: Any) -> Result:
    """Compress one image, and wait for it. Ctrl-C works meanwhile and stops the job.

    Parameters
    ----------
    src : path, bytes-like, binary file, numpy array or PIL.Image
        The image. A file is read from where it stands to its end. Arrays are H x W or H x W x C
        with 1 to 4 channels (gray, gray and alpha, RGB, RGBA), uint8 or uint16. Of a Pillow image
        the pixels of the first frame are taken, without metadata; palettes, CMYK and other modes
        become RGB, or RGBA if they have transparency.
    dst : path, optional
        Where to write; without it the bytes are in `Result.data`. It may be the source. Its
        extension says the format unless `format` does; ``.*`` becomes the one of the format that
        is made. Of a symbolic link the file that it leads to is written, which need not be there
        yet, unless `overwrite` is "never".
    **settings
        Fields of `Settings`, or ``settings=Settings(...)``; also ``priority``.

    Returns
    -------
    Result

    Raises
    ------
    OptionError
        A setting is wrong, or `src` is nothing of the above.
    InputError, OutputError, OutputExistsError
        A file cannot be read or written; these are OSErrors with `errno` and `filename`.
    UnidentifiedImageError, CorruptImageError, UnsupportedFormatError, LimitExceededError
        The image is none, damaged, of a kind that is not supported, or too large.
    MemoryLimitError, TaskTimeoutError
        The job needs more memory than the pool has, or took too long.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((64, 96, 3), np.uint8)
    >>> result = compress(image, format="webp", width=48)
    >>> result.format, result.width, result.height, result.compressed_size == len(result.data)
    ('webp', 48, 32, True)
    """
    future = default_pool().submit(src, dst, **settings)
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


async def compress_async(
    src: Any, dst: str | os.PathLike[str] | None = None, **settings: Any
) -> Result:
    """Like `compress`, awaited. Cancelling the task cancels the job.

    Parameters
    ----------
    src, dst, **settings
        As for `compress`.

    Returns
    -------
    Result

    Raises
    ------
    PixpressError
        As `compress`.

    Examples
    --------
    >>> import asyncio, numpy as np
    >>> asyncio.run(compress_async(np.zeros((8, 8), np.uint8), format="png")).format
    'png'
    """
    return await default_pool().compress(src, dst, **settings)
