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
    """Make the default pool anew with these options; jobs of the old one are finished."""
    global _options, _pool
    fresh = Pool(**pool_options)
    with _lock:
        old, _pool, _options = _pool, fresh, pool_options
    if old is not None:
        old.shutdown(wait=False)


def compress(src: Any, dst: str | os.PathLike[str] | None = None, **settings: Any) -> Result:
    """Compress one image.

    Parameters
    ----------
    src : path, bytes-like, binary file, numpy array or PIL.Image
    dst : path, optional
        Where to write; without it the bytes are in `Result.data`.
    **settings
        Fields of `Settings`.
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
    """Like `compress`, awaited."""
    return await default_pool().compress(src, dst, **settings)
