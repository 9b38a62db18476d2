"""What a job made."""

from __future__ import annotations

import enum
import os
from typing import Any


class SkippedReason(enum.Enum):
    """Why the output is not the new encoding."""

    NONE = "none"
    NOT_SMALLER = "not_smaller"
    OUTPUT_NOT_LARGER = "output_not_larger"


SKIPPED = tuple(SkippedReason)


class Result:
    """The outcome of one job that succeeded. `data` holds the bytes unless a file was written."""

    __slots__ = (
        "_stage_ns",
        "attempts",
        "compressed_size",
        "data",
        "estimated_memory",
        "format",
        "from_cache",
        "height",
        "original_size",
        "output_path",
        "peak_memory",
        "processing_time",
        "skipped_reason",
        "source",
        "task_id",
        "warnings",
        "width",
        "worker_id",
    )

    def __init__(
        self,
        task_id: int,
        source: str,
        data: bytes | None,
        output_path: str | None,
        format: str,
        width: int,
        height: int,
        original_size: int,
        compressed_size: int,
        processing_time: float,
        stage_ns: bytes,
        estimated_memory: int,
        peak_memory: int,
        attempts: int,
        worker_id: int,
        skipped: int,
        warnings: tuple[str, ...],
    ) -> None:
        self.task_id = task_id
        self.source = source
        self.data = data
        self.output_path = output_path
        self.format = format
        self.width = width
        self.height = height
        self.original_size = original_size
        self.compressed_size = compressed_size
        self.processing_time = processing_time
        self._stage_ns = stage_ns
        self.estimated_memory = estimated_memory
        self.peak_memory = peak_memory
        self.attempts = attempts
        self.worker_id = worker_id
        self.from_cache = False
        self.skipped_reason = SKIPPED[skipped]
        self.warnings = warnings

    @property
    def compression_ratio(self) -> float:
        """Compressed over original size; 0.0 if the original had none."""
        return self.compressed_size / self.original_size if self.original_size else 0.0

    @property
    def timings(self) -> dict[str, float]:
        """Seconds in each stage that took any."""
        from ._native import stage_names

        times_ns = memoryview(self._stage_ns).cast("q")
        named = zip(stage_names(), times_ns, strict=True)
        return {name: time_ns * 1e-9 for name, time_ns in named if time_ns}

    @property
    def saved(self) -> int:
        """Bytes saved; never negative for pixels and files that were kept."""
        return self.original_size - self.compressed_size

    def to_dict(self) -> dict[str, Any]:
        """Everything but `data`, ready for JSON."""
        hidden = ("data", "_stage_ns")
        values = {name: getattr(self, name) for name in self.__slots__ if name not in hidden}
        values["timings"] = self.timings
        values["skipped_reason"] = self.skipped_reason.value
        values["warnings"] = list(self.warnings)
        values["compression_ratio"] = self.compression_ratio
        values["saved"] = self.saved
        return values

    def __repr__(self) -> str:
        where = "bytes" if self.output_path is None else os.fspath(self.output_path)
        return (
            f"Result({self.source!r} -> {where!r}, {self.format} {self.width}x{self.height}, "
            f"{self.original_size} -> {self.compressed_size} bytes)"
        )


class ImageInfo:
    """What the header of an image says. Sizes are as stored, before orientation."""

    __slots__ = (
        "bits",
        "estimated_quality",
        "format",
        "frames",
        "has_alpha",
        "has_icc",
        "height",
        "is_lossless",
        "is_progressive",
        "loop_count",
        "mode",
        "orientation",
        "width",
    )

    def __init__(
        self,
        format: str,
        width: int,
        height: int,
        frames: int,
        orientation: int,
        mode: str,
        has_alpha: bool,
        bits: int,
        is_progressive: bool,
        is_lossless: bool,
        has_icc: bool,
        estimated_quality: int,
        loop_count: int,
    ) -> None:
        self.format = format
        self.width = width
        self.height = height
        self.frames = frames
        self.orientation = orientation
        self.mode = mode
        self.has_alpha = has_alpha
        self.bits = bits
        self.is_progressive = is_progressive
        self.is_lossless = is_lossless
        self.has_icc = has_icc
        self.estimated_quality = estimated_quality
        self.loop_count = loop_count

    def to_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __repr__(self) -> str:
        return f"ImageInfo({self.format} {self.width}x{self.height} {self.mode})"
