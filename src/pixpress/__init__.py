"""Compress images at native speed, on every core."""

from .compress import compress, compress_async, configure
from .errors import (
    CorruptImageError,
    EncoderUnavailableError,
    ForkedPoolError,
    InputError,
    JournalError,
    LimitExceededError,
    MemoryLimitError,
    OptionError,
    OutputError,
    OutputExistsError,
    PixpressError,
    PoolClosedError,
    QueueFullError,
    QueueTimeoutError,
    TaskTimeoutError,
    UnidentifiedImageError,
    UnsupportedFormatError,
)
from .future import JobFuture
from .kernels import decode, encode, features, optimal_worker_count, probe, quantize, resize
from .options import Limits, Priority, Settings
from .pool import Pool
from .result import ImageInfo, Result, SkippedReason

__version__ = "0.1.0"
__all__ = [
    "CorruptImageError",
    "EncoderUnavailableError",
    "ForkedPoolError",
    "ImageInfo",
    "InputError",
    "JobFuture",
    "JournalError",
    "LimitExceededError",
    "Limits",
    "MemoryLimitError",
    "OptionError",
    "OutputError",
    "OutputExistsError",
    "PixpressError",
    "Pool",
    "PoolClosedError",
    "Priority",
    "QueueFullError",
    "QueueTimeoutError",
    "Result",
    "Settings",
    "SkippedReason",
    "TaskTimeoutError",
    "UnidentifiedImageError",
    "UnsupportedFormatError",
    "compress",
    "compress_async",
    "configure",
    "decode",
    "encode",
    "features",
    "optimal_worker_count",
    "probe",
    "quantize",
    "resize",
]
