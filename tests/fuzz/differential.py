"""Damaged images of the lossless formats: pixpress and Pillow see the same pixels, or one refuses.

    python tests/fuzz/differential.py [--inputs N] [--seed S] [--format png ...] [--keep FOLDER]

Input I of a format and seed is always the same. Fails if both decode an input to different pixels
and none of the reasons in `accepted_difference` holds; with --keep these inputs are written to a
folder.
"""

from __future__ import annotations

import argparse
import io
import random
import struct
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from differential_mutation import chunks_of, mutate
from differential_seeds import SEEDS
from PIL import Image

import pixpress

# Larger canvases are not decoded: their pixels would say nothing more.
MOST_PIXELS = 1 << 18
PNG_DEPTH = 24  # Where IHDR says it.
Frames = list[np.ndarray]
# How an image may be refused; any other error is our own mistake.
REFUSALS = (
    pixpress.UnidentifiedImageError,
    pixpress.CorruptImageError,
    pixpress.UnsupportedFormatError,
    pixpress.LimitExceededError,
    pixpress.MemoryLimitError,
)


def ours(data: bytes) -> Frames | None:
    """Return the frames as pixpress sees them; None if it refuses."""
    try:
        return list(pixpress.decode(data, frames=True))
    except REFUSALS:
        return None


def _pillow_array(image: Image.Image, data: bytes) -> np.ndarray:
    """Return the pixels of a Pillow image, with all the bits and the alpha that its file means.

    Pillow keeps tRNS of gray PNG aside as the file has it, and applies it in `convert` to samples
    that it has stretched to 8 bits, or cut off at 255 if they have 16. It is applied here instead,
    to as many bits as a sample has: the specification ignores those above.
    """
    transparent = image.info.get("transparency")
    is_still = getattr(image, "n_frames", 1) == 1
    if image.format == "PNG" and is_still and image.mode in ("1", "L", "I;16"):
        gray = np.asarray(image.convert("L") if image.mode == "1" else image)
        if transparent is None:
            return gray
        depth = data[PNG_DEPTH]
        stretched = (transparent & ((1 << depth) - 1)) * {2: 85, 4: 17}.get(depth, 1)
        if image.mode == "1":  # Pillow has stretched it itself.
            stretched = transparent
        alpha = np.where(gray == stretched, 0, np.iinfo(gray.dtype).max)
        return np.stack([gray, alpha.astype(gray.dtype)], axis=-1)
    if image.format == "PNG" and image.mode == "RGB" and transparent is not None:
        image.info["transparency"] = tuple(value & 0xFF for value in transparent)
    return np.asarray(image.convert("RGBA"))


def pillow(data: bytes) -> Frames | None:
    """Return the frames as Pillow sees them; None if it refuses, by whatever exception."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            frames = []
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                frames.append(_pillow_array(image, data))
            return frames
    except Exception:
        return None


def _is_too_large(data: bytes) -> bool:
    try:
        info = pixpress.probe(data)
    except REFUSALS:
        return False
    return info.width * info.height * info.frames > MOST_PIXELS


def comparable(frame: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return our frame in the channels and depth that Pillow has; nothing is lost that it shows."""
    if frame.dtype == np.uint16 and like.dtype == np.uint8:
        frame = (frame >> 8).astype(np.uint8)
    if like.shape[2:] != (4,):
        return frame
    if frame.ndim == 2:
        frame = frame[..., np.newaxis]
    if frame.shape[-1] < 3:
        frame = np.concatenate([frame[..., :1]] * 3 + [frame[..., 1:]], axis=-1)
    if frame.shape[-1] == 3:
        frame = np.concatenate([frame, np.full_like(frame[..., :1], 255)], axis=-1)
    return frame


def seen(frame: np.ndarray) -> np.ndarray:
    """Return a frame without the colors of pixels that are not seen."""
    if frame.ndim == 2:
        return frame
    return np.where(frame[..., 3:] == 0, 0, frame)


def differs(format: str, mine: Frames, other: Frames, data: bytes) -> str | None:
    """Return what differs, None if nothing does."""
    # Of a WebP animation without the flag for alpha Pillow shows none, and black for nothing.
    is_opaque = data[12:16] == b"VP8X" and not data[20] & 0x10
    if len(mine) != len(other):
        return f"{len(mine)} frames, Pillow has {len(other)}"
    for index, (frame, like) in enumerate(zip(mine, other, strict=True)):
        frame = comparable(frame, like)
        if frame.shape != like.shape:
            return f"frame {index} is {frame.shape}, Pillow's is {like.shape}"
        if is_opaque:
            frame, like = frame[..., :3], like[..., :3]
        elif format != "png":
            frame, like = seen(frame), seen(like)
        if not np.array_equal(frame, like):
            count = np.count_nonzero(np.any(frame != like, axis=-1))
            return f"{count} pixels of frame {index}"
    return None


def _png_reason(data: bytes) -> str | None:
    chunks = chunks_of(data)
    kinds = [kind for kind, _ in chunks]
    depth, color = data[PNG_DEPTH], data[PNG_DEPTH + 1]
    if kinds.count(b"acTL") > 1 or any(len(d) != 8 for kind, d in chunks if kind == b"acTL"):
        # "there shall be one acTL" of 8 bytes; we read the first that is right, Pillow none of two,
        # and the first 8 bytes of a longer one.
        return "acTL twice or of a wrong length"
    if b"tRNS" not in kinds:
        return None
    at = kinds.index(b"tRNS")
    if b"IDAT" in kinds[:at] or b"PLTE" in kinds[at:] or kinds.count(b"tRNS") > 1:
        # PNG 5.6: after PLTE and before IDAT, once. libpng and we ignore others, Pillow takes them.
        return "tRNS out of its place"
    colors = sum(len(palette) // 3 for kind, palette in chunks if kind == b"PLTE")
    length = len(chunks[at][1])
    if length > colors if color == 3 else length != {0: 2, 2: 6}.get(color):
        return "tRNS of a wrong length"  # As before.
    if color == 0 and depth == 1 and int.from_bytes(chunks[at][1]) > 1:
        return "tRNS of more bits than 1"  # Pillow takes any for white, the others are ignored.
    if color == 2 and depth == 16:
        return "tRNS of 16 bits"  # Pillow compares it with samples of which it has dropped 8.
    return None


def _gif_frames(data: bytes) -> list[tuple[int, tuple[int, int]]]:
    """Return the disposal and the far corner of each frame of a GIF that is whole."""
    frames, disposal = [], 0
    at = 13 + _gif_table(data[10])
    while data[at : at + 1] in (b"!", b",", b"\0"):
        if data[at] == 0:  # Between blocks, which harms nobody.
            at += 1
            continue
        if data[at] == 0x2C:
            x, y, width, height, flags = struct.unpack("<HHHHB", data[at + 1 : at + 10])
            frames.append((disposal, (x + width, y + height)))
            disposal = 0
            at += 11 + _gif_table(flags)
        else:
            if data[at + 1] == 0xF9:
                disposal = data[at + 3] >> 2 & 7
            at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    return frames


def _gif_table(flags: int) -> int:
    return 6 << (flags & 7) if flags & 0x80 else 0


def _gif_reason(data: bytes) -> str | None:
    """Where docs/gif.md follows browsers and not Pillow."""
    frames = _gif_frames(data)
    width, height = struct.unpack("<HH", data[6:10])
    first = frames[0][1]
    if any(x > max(width, first[0]) or y > max(height, first[1]) for _, (x, y) in frames[1:]):
        return "a later frame beyond the canvas"
    disposals = [disposal for disposal, _ in frames]
    if any(
        disposal > 3 or (disposal == 0 and any(disposals[:i]))
        for i, disposal in enumerate(disposals)
    ):
        return "disposal 0 after another, or none that exists"
    return None


def accepted_difference(format: str, data: bytes) -> str | None:
    """Return why Pillow is not held against us for this input, None if it is."""
    if format == "gif":
        return _gif_reason(data)
    return _png_reason(data) if format in ("png", "apng") else None


def run(
    format: str, inputs: int, seed: int, keep: Path | None = None
) -> tuple[Counter[str], list[str]]:
    """Compare so many inputs; return how often each outcome was, and the differences."""
    outcomes: Counter[str] = Counter()
    differences = []
    for index in range(inputs):
        data = mutate(SEEDS[format], random.Random(f"{format} {seed} {index}"))
        if _is_too_large(data):
            outcomes["too large"] += 1
            continue
        mine, other = ours(data), pillow(data)
        if mine is None or other is None:
            who = (
                "both refuse"
                if mine is other
                else "we refuse"
                if mine is None
                else "Pillow refuses"
            )
            outcomes[who] += 1
            continue
        what = differs(format, mine, other, data)
        reason = accepted_difference(format, data) if what else None
        outcomes[reason or ("the same" if what is None else "different")] += 1
        if what is not None and reason is None:
            differences.append(f"{format} {index} of seed {seed}: {what}")
            if keep is not None:
                (keep / f"{format}-{seed}-{index}").write_bytes(data)
    return outcomes, differences


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=2000, help="of each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", nargs="+", choices=SEEDS, default=list(SEEDS))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for format in options.format:
            outcomes, differences = run(format, options.inputs, options.seed, options.keep)
            print(f"{format}: " + ", ".join(f"{n} {what}" for what, n in outcomes.most_common()))
            found += differences
    for difference in found:
        print(difference)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
