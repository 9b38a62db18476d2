"""What an untrusted image may cost: frozen, validated on construction, picklable."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .arguments import whole


@dataclass(frozen=True)
class Limits:
    """What an untrusted image may cost before it is refused.

    Parameters
    ----------
    max_pixels : int
        Pixels of one frame, of the source and of the output; from 1.
    max_total_pixels : int
        Pixels of all frames together; from 1.
    max_frames : int
        Frames of an animation, 1 to 2**32 - 1.
    max_scans : int
        Scans of a progressive JPEG, 1 to 2**32 - 1.
    max_pixel_scans : int
        Pixels times scans of a JPEG, which is what decoding costs; from 1.
    max_metadata_bytes : int
        Bytes of profile, EXIF and other metadata; from 1.
    max_input_bytes : int
        Bytes of the encoded image; from 1.

    Raises
    ------
    OptionError
        A value is not in its range.

    Examples
    --------
    >>> import numpy as np, pixpress
    >>> image = np.zeros((10, 10), np.uint8)
    >>> try:
    ...     pixpress.compress(image, format="png", limits=Limits(max_pixels=99))
    ... except pixpress.LimitExceededError as error:
    ...     print(error.code)
    LIMIT_EXCEEDED
    """

    max_pixels: int = 178_956_970
    max_total_pixels: int = 1_000_000_000
    max_frames: int = 10_000
    max_scans: int = 100
    max_pixel_scans: int = 10_000_000_000
    max_metadata_bytes: int = 8 << 20
    max_input_bytes: int = 2 << 30

    def __post_init__(self) -> None:
        for item in fields(self):
            high = 2**32 - 1 if item.name in ("max_frames", "max_scans") else 2**63 - 1
            whole(item.name, getattr(self, item.name), 1, high)

    def as_tuple(self) -> tuple[int, ...]:
        """The values in the core's order."""
        return tuple(int(getattr(self, item.name)) for item in fields(self))
