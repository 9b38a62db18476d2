"""Compress images at native speed, on every core."""

from .batch import Batch, BatchProgress
from .built_in import features, optimal_worker_count
from .cache import CacheMetrics
from .compress import compress, compress_async, configure
from .config import PoolConfig, load_config
from .errors import (
    BlacklistedFileError,
    ConfigError,
    CorruptImageError,
    EncoderUnavailableError,
    ForkedPoolError,
    InputError,
    JournalError,
    JournalNotEmptyError,
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
    WorkerCrashedError,
)
from .events import (
    CacheWarning,
    EventStream,
    MemoryWarning,
    TaskComplete,
    TaskError,
    TaskProgress,
    TaskRetry,
    WorkerEnded,
    WorkerReady,
    WorkerStuck,
)
from .future import JobFuture
from .health import HealthReport
from .journal import JournalRow
from .kernels import decode, encode, probe, quantize, resize, ssimulacra2
from .limits import Limits
from .metrics import Latency, PoolMetrics, WorkerMetrics
from .options import Priority, Settings
from .pool import Pool
from .result import ImageInfo, Result, SkippedReason
from .task import Task, TaskMetadata

__version__ = "0.1.0"
__all__ = [
    "Batch",
    "BatchProgress",
    "BlacklistedFileError",
    "CacheMetrics",
    "CacheWarning",
    "ConfigError",
    "CorruptImageError",
    "EncoderUnavailableError",
    "EventStream",
    "ForkedPoolError",
    "HealthReport",
    "ImageInfo",
    "InputError",
    "JobFuture",
    "JournalError",
    "JournalNotEmptyError",
    "JournalRow",
    "Latency",
    "LimitExceededError",
    "Limits",
    "MemoryLimitError",
    "MemoryWarning",
    "OptionError",
    "OutputError",
    "OutputExistsError",
    "PixpressError",
    "Pool",
    "PoolClosedError",
    "PoolConfig",
    "PoolMetrics",
    "Priority",
    "QueueFullError",
    "QueueTimeoutError",
    "Result",
    "Settings",
    "SkippedReason",
    "Task",
    "TaskComplete",
    "TaskError",
    "TaskMetadata",
    "TaskProgress",
    "TaskRetry",
    "TaskTimeoutError",
    "UnidentifiedImageError",
    "UnsupportedFormatError",
    "WorkerCrashedError",
    "WorkerEnded",
    "WorkerMetrics",
    "WorkerReady",
    "WorkerStuck",
    "compress",
    "compress_async",
    "configure",
    "decode",
    "encode",
    "features",
    "load_config",
    "optimal_worker_count",
    "probe",
    "quantize",
    "resize",
    "ssimulacra2",
]
