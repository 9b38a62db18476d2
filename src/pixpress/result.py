"""What a job made."""

from __future__ import annotations

import enum
import math
import os
from typing import Any


class SkippedReason(enum.Enum):
    """Why the output is not the new encoding.

    Attributes
    ----------
    NONE
        It is the new encoding.
    NOT_SMALLER
        The original image data was kept, since the new one was not smaller.
    OUTPUT_NOT_LARGER
        The old file at the output was kept: it is as small, and `overwrite` is "smaller".

    Examples
    --------
    >>> SkippedReason("not_smaller").name
    'NOT_SMALLER'
    """

    NONE = "none"
    NOT_SMALLER = "not_smaller"
    OUTPUT_NOT_LARGER = "output_not_larger"


SKIPPED = tuple(SkippedReason)


class Result:
    """The outcome of one job that succeeded.

    Attributes
    ----------
    task_id : int
        Number of the job in its pool.
    source : str
        Path of the source, or what it is called: "<bytes>", "<array>", the name of a file object.
    data : bytes or None
        The encoded image; None if a file was written.
    output_path : str or None
        The file that was written.
    format : str
        "jpeg", "png" or another name of a format.
    width, height : int
        Of the output in pixels, as stored.
    original_size, compressed_size : int
        Bytes of the encoded source, or of its pixels, and of the output.
    processing_time : float
        Seconds that the job ran.
    estimated_memory, peak_memory : int
        Bytes that were reserved for the job, and that its buffers held at most.
    attempts : int
        How often it was started.
    worker_id : int
        The worker that ran it.
    from_cache : bool
        Whether it is the result of an earlier job, or of an identical one that ran meanwhile. Times
        and memory are those of this job, the rest is as the other had it.
    skipped_reason : SkippedReason
        Why the output is not the new encoding, if it is not.
    quality : int or None
        That it was encoded with, lower than asked if `max_bytes` needed that; None if the format
        has none or the original was kept.
    score : float or None
        SSIMULACRA2 of a new output of `target` or `min_quality`, against what was encoded; None
        if neither was asked for, the output has a palette, or the original was kept.
    warnings : tuple of str
        What was wrong with the source but did not matter.

    Examples
    --------
    >>> import numpy as np, pixpress
    >>> result = pixpress.compress(np.zeros((10, 20), np.uint8), format="png")
    >>> result.width, result.height, result.original_size, result.skipped_reason.value
    (20, 10, 200, 'none')
    """

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
        "quality",
        "score",
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
        quality: int,
        score: float,
        warnings: tuple[str, ...],
        from_cache: bool = False,
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
        self.from_cache = from_cache
        self.skipped_reason = SKIPPED[skipped]
        self.quality = quality or None
        self.score = None if math.isnan(score) else score
        self.warnings = warnings

    @property
    def compression_ratio(self) -> float:
        """Compressed over original size; 0.0 if the original had none."""
        return self.compressed_size / self.original_size if self.original_size else 0.0

    @property
    def timings(self) -> dict[str, float]:
        """Seconds by stage, such as "decode", of the stages that took any."""
        from ._native import stage_names

        times_ns = memoryview(self._stage_ns).cast("q")
        named = zip(stage_names(), times_ns, strict=True)
        return {name: time_ns * 1e-9 for name, time_ns in named if time_ns}

    @property
    def saved(self) -> int:
        """Bytes saved; negative if the output is larger than the source."""
        return self.original_size - self.compressed_size

    def to_dict(self) -> dict[str, Any]:
        """Everything but `data`, ready for JSON.

        Returns
        -------
        dict
            The attributes and properties by name; `skipped_reason` as its value.
        """
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
    """What the header of an image says.

    Attributes
    ----------
    format : str
        "jpeg", "png" or another name of a format.
    width, height : int
        Pixels as stored, before orientation.
    frames : int
        1 unless it is an animation.
    loop_count : int
        How often an animation is shown; 0 is without end.
    orientation : int
        EXIF orientation, 1 (upright) to 8.
    mode : str
        "L", "RGB" or "CMYK", with "A" for alpha: the channels that `decode` gives.
    has_alpha : bool
        Whether there is an alpha channel.
    bits : int
        Of each sample, 8 or 16.
    is_progressive : bool
        Whether it is a progressive JPEG or an interlaced PNG.
    is_lossless : bool
        Whether its coding keeps every pixel.
    has_icc : bool
        Whether it has a color profile.
    estimated_quality : int
        Of a JPEG, 1 to 100, from its tables; else 0.

    Examples
    --------
    >>> import numpy as np, pixpress
    >>> pixpress.probe(pixpress.encode(np.zeros((2, 3, 4), np.uint8), "webp", lossless=True))
    ImageInfo(webp 3x2 RGBA)
    """

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
        """All fields, ready for JSON.

        Returns
        -------
        dict
            The attributes by name.
        """
        return {name: getattr(self, name) for name in self.__slots__}

    def __repr__(self) -> str:
        return f"ImageInfo({self.format} {self.width}x{self.height} {self.mode})"
