"""What can go wrong. Every error is a `PixpressError`, and a fitting built-in class as well."""

from __future__ import annotations


class PixpressError(Exception):
    """Base class of all pixpress errors.

    Attributes
    ----------
    code : str
        Stable name of the kind of error, such as ``"CORRUPT_IMAGE"``.
    stage : str
        Where in a job it happened, such as ``"decode"``; empty outside of jobs.
    retryable : bool
        True if the same call may succeed later.
    """

    code = "INTERNAL"
    retryable = False

    def __init__(self, message: str = "", *, stage: str = "") -> None:
        super().__init__(message)
        self.stage = stage


class _SystemError(PixpressError, OSError):
    """An error of the operating system; `errno` is kept."""

    def __init__(self, message: str = "", *, stage: str = "", errno: int | None = None) -> None:
        super().__init__(message, stage=stage)
        self.errno = errno or None
        self._message = message

    def __str__(self) -> str:
        return self._message


class InputError(_SystemError):
    """The source cannot be opened or read."""

    code = "INPUT"


class OutputError(_SystemError):
    """The output cannot be written."""

    code = "OUTPUT"


class OutputExistsError(OutputError):
    """The output exists, and `overwrite` says to leave it."""

    code = "OUTPUT_EXISTS"


class UnidentifiedImageError(PixpressError, ValueError):
    """No known format starts like this."""

    code = "UNIDENTIFIED_IMAGE"


class CorruptImageError(_SystemError):
    """The image is damaged or truncated."""

    code = "CORRUPT_IMAGE"


class UnsupportedFormatError(PixpressError, ValueError):
    """A valid image of a kind that is not supported."""

    code = "UNSUPPORTED_FORMAT"


class EncoderUnavailableError(PixpressError):
    """This build cannot write the format."""

    code = "ENCODER_UNAVAILABLE"


class LimitExceededError(PixpressError, ValueError):
    """A field of `Limits` refuses the image."""

    code = "LIMIT_EXCEEDED"


class OptionError(PixpressError, ValueError):
    """A setting is unknown, wrong, or contradicts another."""

    code = "OPTION"


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
    """The queue holds `max_queue` jobs already."""

    code = "QUEUE_FULL"
    retryable = True


class PoolClosedError(PixpressError, RuntimeError):
    """The pool takes no more jobs."""

    code = "POOL_CLOSED"


class ForkedPoolError(PixpressError, RuntimeError):
    """The pool belongs to the parent process."""

    code = "FORKED_POOL"


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
    PixpressError,
    PixpressError,
)


def make_error(status: int, message: str, stage: str, errno: int) -> PixpressError:
    """The exception for a status of the core."""
    kind = BY_STATUS[status]
    if issubclass(kind, _SystemError):
        return kind(message, stage=stage, errno=errno)
    return kind(message, stage=stage)


def expected(what: str, name: str, value: object) -> OptionError:
    """The one sentence for wrong arguments."""
    return OptionError(f"Expected {what} for {name}, got {value!r}")
