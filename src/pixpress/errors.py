"""What can go wrong. Every error is a `PixpressError`, and a fitting built-in class as well."""

from __future__ import annotations

import errno as _errno
import os as _os
from typing import Any


class PixpressError(Exception):
    """Base class of all pixpress errors. They can be pickled.

    Parameters
    ----------
    message : str
        What is wrong, with the numbers; it begins with the name of the source in errors of jobs.
    stage : str
        Where in a job it happened.

    Attributes
    ----------
    code : str
        Stable name of the kind of error, such as ``"CORRUPT_IMAGE"``.
    stage : str
        Where in a job it happened, such as ``"decode"``; empty outside of jobs.
    retryable : bool
        True if the same call may succeed later.

    Examples
    --------
    >>> import pixpress
    >>> try:
    ...     pixpress.compress(b"no image")
    ... except pixpress.PixpressError as error:
    ...     print(error.code, error.stage, error.retryable)
    UNIDENTIFIED_IMAGE probe False
    """

    code = "INTERNAL"
    retryable = False

    def __init__(self, message: str = "", *, stage: str = "") -> None:
        super().__init__(message)
        self.stage = stage

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self), self._facts())

    def _facts(self) -> dict[str, Any]:
        return dict(self.__dict__)


def _rebuild(kind: type[PixpressError], message: str, facts: dict[str, Any]) -> PixpressError:
    error = kind(message)
    for name, value in facts.items():
        setattr(error, name, value)
    return error


_MOST_SHOWN = 200
# What may pass by itself: the other side is slow, or something is used up for a while.
_PASSING = frozenset(
    {
        _errno.EAGAIN,
        _errno.EINTR,
        _errno.EMFILE,
        _errno.ENFILE,
        _errno.ENOMEM,
        _errno.ESTALE,
        _errno.ETIMEDOUT,
    }
)


class _SystemError(PixpressError, OSError):
    """An OSError: `errno` is kept where a system call failed, and `filename` says of what."""

    def __init__(
        self,
        message: str = "",
        *,
        stage: str = "",
        errno: int | None = None,
        filename: str | None = None,
    ) -> None:
        super().__init__(message, stage=stage)
        self.errno = errno or None
        self.filename = filename
        self.retryable = errno in _PASSING
        self._message = message

    def __str__(self) -> str:
        return self._message

    def _facts(self) -> dict[str, Any]:
        return {**self.__dict__, "errno": self.errno, "filename": self.filename}


class InputError(_SystemError):
    """The source cannot be opened or read.

    Attributes
    ----------
    errno : int or None
        Why, as of `OSError`.
    filename : str or None
        The path of the source; None for sources in memory.

    Examples
    --------
    >>> import errno, pixpress
    >>> try:
    ...     pixpress.probe("missing.jpg")
    ... except InputError as error:
    ...     print(error.errno == errno.ENOENT, error.filename)
    True missing.jpg
    """

    code = "INPUT"


class OutputError(_SystemError):
    """The output cannot be written.

    Attributes
    ----------
    errno : int or None
        Why, as of `OSError`.
    filename : str or None
        The path of the output.
    """

    code = "OUTPUT"


class OutputExistsError(OutputError, FileExistsError):
    """The output exists, and `overwrite` says to leave it."""

    code = "OUTPUT_EXISTS"


class UnidentifiedImageError(_SystemError, ValueError):
    """No known format starts like this. An OSError, as Pillow's error of this name is."""

    code = "UNIDENTIFIED_IMAGE"


class CorruptImageError(_SystemError):
    """The image is damaged or truncated."""

    code = "CORRUPT_IMAGE"


class BlacklistedFileError(CorruptImageError):
    """The image was found to be bad before; see `Pool.blacklist`."""

    code = "BLACKLISTED"


class UnsupportedFormatError(PixpressError, ValueError):
    """A valid image of a kind that is not supported."""

    code = "UNSUPPORTED_FORMAT"


class EncoderUnavailableError(PixpressError, ValueError):
    """This build cannot write the format."""

    code = "ENCODER_UNAVAILABLE"


class LimitExceededError(PixpressError, ValueError):
    """A field of `Limits` refuses the image."""

    code = "LIMIT_EXCEEDED"


class OptionError(PixpressError, ValueError):
    """A setting is unknown, wrong, or contradicts another."""

    code = "OPTION"


class ConfigError(PixpressError, ValueError):
    """A configuration file or an environment variable is wrong."""

    code = "CONFIG"


class MemoryLimitError(PixpressError, MemoryError):
    """The job can never fit the memory limit, or memory ran out."""

    code = "MEMORY_LIMIT"


class TaskTimeoutError(PixpressError, TimeoutError):
    """The job ran longer than `task_timeout`."""

    code = "TASK_TIMEOUT"
    retryable = True


class QueueTimeoutError(PixpressError, TimeoutError):
    """The job waited longer than `queue_timeout`."""

    code = "QUEUE_TIMEOUT"
    retryable = True


class QueueFullError(PixpressError):
    """The queue holds `max_queue` jobs, or `max_queue_bytes`, already."""

    code = "QUEUE_FULL"
    retryable = True


class PoolClosedError(PixpressError, RuntimeError):
    """The pool takes no more jobs."""

    code = "POOL_CLOSED"


class ForkedPoolError(PixpressError, RuntimeError):
    """The pool belongs to the parent process."""

    code = "FORKED_POOL"


class WorkerCrashedError(PixpressError):
    """A worker process of ``isolation="process"`` died over the job, or could not be started."""

    code = "WORKER_CRASHED"


class JournalError(_SystemError):
    """The journal cannot be opened, read or written, or another process has it open."""

    code = "JOURNAL"


class JournalNotEmptyError(JournalError):
    """The journal holds jobs that were not finished; `Pool.recover` finishes them."""

    code = "JOURNAL_NOT_EMPTY"


# By StatusCode of the core.
BY_STATUS: tuple[type[PixpressError], ...] = (
    PixpressError,
    InputError,
    OutputError,
    OutputExistsError,
    UnidentifiedImageError,
    CorruptImageError,
    UnsupportedFormatError,
    EncoderUnavailableError,
    LimitExceededError,
    OptionError,
    MemoryLimitError,
    TaskTimeoutError,
    QueueTimeoutError,
    QueueFullError,
    PoolClosedError,
    ForkedPoolError,
    JournalError,
    PixpressError,
    PixpressError,
    BlacklistedFileError,
    JournalNotEmptyError,
    WorkerCrashedError,
)


def make_error(
    status: int,
    message: str,
    stage: str = "",
    errno: int = 0,
    source: str = "",
    output: str | None = None,
) -> PixpressError:
    """The exception for a status of the core, of a job from `source` to `output`."""
    kind = BY_STATUS[status]
    if not issubclass(kind, _SystemError):
        return kind(message, stage=stage)
    path = output if issubclass(kind, OutputError) else source
    # Sources in memory are called "<bytes>" and the like.
    name = None if not path or path.startswith("<") else path
    return kind(message, stage=stage, errno=errno, filename=name)


def seen_error(error: PixpressError, source: str, unseen_errno: int) -> PixpressError:
    """`error` of a file, unless it says only that the core does not read it.

    That is no news where nobody saw whether Pillow does, because of `unseen_errno`.
    """
    if not unseen_errno or not isinstance(error, (UnidentifiedImageError, UnsupportedFormatError)):
        return error
    message = f"{source}: {_os.strerror(unseen_errno)}"
    return InputError(message, stage=error.stage, errno=unseen_errno, filename=source)


def expected(what: str, name: str, value: object) -> OptionError:
    """The one sentence for wrong arguments; of a long value its beginning."""
    shown = repr(value)
    if len(shown) > _MOST_SHOWN:
        shown = f"{shown[:_MOST_SHOWN]}... ({type(value).__name__})"
    return OptionError(f"Expected {what} for {name}, got {shown}")
