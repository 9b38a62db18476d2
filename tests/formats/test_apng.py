"""Animated PNG against Pillow, and what the specification says where Pillow does otherwise."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

DISPOSALS = (0, 1, 2)
BLENDS = (0, 1)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def make_apng(
    canvas: tuple[int, int],
    frames: list[tuple[tuple[int, int], np.ndarray, int, int, tuple[int, int]]],
    plays: int = 0,
) -> bytes:
    """Return an APNG of (place, RGBA pixels, disposal, blend, delay)."""
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *canvas, 8, 6, 0, 0, 0))
    out += chunk(b"acTL", struct.pack(">II", len(frames), plays))
    sequence = itertools.count()
    for index, ((x, y), pixels, disposal, blend, delay) in enumerate(frames):
        height, width = pixels.shape[:2]
        control = struct.pack(
            ">IIIIIHHBB", next(sequence), width, height, x, y, *delay, disposal, blend
        )
        rows = b"".join(b"\0" + row.tobytes() for row in pixels)
        out += chunk(b"fcTL", control)
        packed = zlib.compress(rows)
        if index == 0:
            out += chunk(b"IDAT", packed)
        else:
            out += chunk(b"fdAT", struct.pack(">I", next(sequence)) + packed)
    return out + chunk(b"IEND", b"")


def random_pixels(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Return pixels that are opaque or transparent: of those Pillow's composition is exact."""
    pixels = rng.integers(0, 256, (height, width, 4), np.uint8)
    pixels[..., 3] = np.where(pixels[..., 3] < 128, 0, 255)
    return pixels


def visible(canvas: np.ndarray) -> np.ndarray:
    return np.where(canvas[..., 3:] == 0, 0, canvas)


def animations(seed: int) -> list[tuple[bytes, bool]]:
    """Return files, and whether Pillow composes them right.

    After a frame that is blended over and then to be undone, Pillow restores the frame itself.
    """
    rng = np.random.default_rng(seed)
    found = []
    for disposals in itertools.product(DISPOSALS, repeat=3):
        for blends in itertools.product(BLENDS, repeat=2):
            frames = [((0, 0), random_pixels(rng, 7, 5), disposals[0], 0, (1, 10))]
            for disposal, blend in zip(disposals[1:], blends, strict=True):
                x, y = int(rng.integers(0, 5)), int(rng.integers(0, 4))
                size = int(rng.integers(1, 8 - x)), int(rng.integers(1, 6 - y))
                pixels = random_pixels(rng, *size)
                frames.append(((x, y), pixels, disposal, blend, (3, 0)))
            frames.append(((1, 1), random_pixels(rng, 2, 2), 0, 1, (0, 7)))
            is_right = (2, 1) not in zip(disposals[1:], blends, strict=True)
            found.append((make_apng((7, 5), frames, plays=4), is_right))
    return found


def timeline(canvases: Sequence[np.ndarray], times: list[float]) -> list[tuple[bytes, float]]:
    """Return what is seen and for how long: equal canvases in a row are one."""
    seen: list[tuple[bytes, float]] = []
    for canvas, time in zip(canvases, times, strict=True):
        pixels = visible(canvas).tobytes()
        if seen and seen[-1][0] == pixels:
            seen[-1] = (pixels, seen[-1][1] + time)
        else:
            seen.append((pixels, time))
    return seen


def test_every_disposal_and_blend_is_composed_as_in_pillow(played) -> None:
    compared = 0
    for index, (data, is_right) in enumerate(animations(1)):
        frames = pixpress.decode(data, mode="RGBA", frames=True)
        assert len(frames) == pixpress.probe(data).frames == 4
        if not is_right:
            continue
        compared += 1
        for own, theirs in zip(frames, played(data)[0], strict=True):
            assert np.array_equal(visible(own), visible(theirs)), index
    assert compared == 3 * 25


def test_recompressing_keeps_frames_times_and_plays(played) -> None:
    written = 0
    for data, _ in animations(2):
        # A chunk that is dropped makes room for an answer that is not the original.
        padded = data[:33] + chunk(b"tEXt", b"Comment\0" + b"x" * 500) + data[33:]
        result = pixpress.compress(padded, width=7, effort=2)
        canvases, durations, loop = played(result.data)
        expected = pixpress.decode(data, mode="RGBA", frames=True)
        assert loop == 4
        own = timeline(pixpress.decode(result.data, mode="RGBA", frames=True), durations)
        theirs = timeline(expected, played(data)[1])
        assert [pixels for pixels, _ in own] == [pixels for pixels, _ in theirs]
        assert [time for _, time in own] == pytest.approx([time for _, time in theirs])
        assert len(result.data) <= len(data)
        if result.skipped_reason is pixpress.SkippedReason.NONE:
            written += 1
            assert timeline(canvases, durations) == own
    assert written > 10


def test_the_smaller_of_the_original_and_the_new_one_is_kept(played) -> None:
    images = [Image.new("RGBA", (64, 48), (20 * i, 90, 200, 255)) for i in range(5)]
    out = io.BytesIO()
    images[0].save(
        out, "PNG", save_all=True, append_images=images[1:], duration=50, compress_level=0
    )
    once = pixpress.compress(out.getvalue()).data
    assert len(once) < len(out.getvalue()) / 4
    again = pixpress.compress(once)
    assert again.data == once
    assert again.skipped_reason is pixpress.SkippedReason.NOT_SMALLER
    assert len(played(once)[0]) == 5


def test_semitransparent_frames_are_blended_as_specified() -> None:
    below = np.full((4, 4, 4), (200, 100, 0, 128), np.uint8)
    above = np.full((4, 4, 4), (0, 100, 255, 64), np.uint8)
    data = make_apng((4, 4), [((0, 0), below, 0, 0, (1, 9)), ((0, 0), above, 0, 1, (1, 9))])
    alpha = 64 / 255 + 128 / 255 * (1 - 64 / 255)
    red = 200 * 128 / 255 * (1 - 64 / 255) / alpha
    blue = 255 * 64 / 255 / alpha
    expected = [round(red), 100, round(blue), round(alpha * 255)]
    assert pixpress.decode(data, frames=True)[1][2, 2].tolist() == expected


def test_a_real_file_of_many_blends_ends_green(corpus_png: Path) -> None:
    frames = pixpress.decode(corpus_png, mode="RGBA", frames=True)
    assert len(frames) == pixpress.probe(corpus_png).frames
    assert np.abs(frames[-1].astype(int) - (0, 255, 0, 255)).max() <= 1


@pytest.fixture
def corpus_png(bad_files) -> Path:
    return bad_files[0].path.parents[1] / "graphics_png" / "apng_blend_over.png"


def test_the_still_image_of_an_animation_is_what_other_viewers_show() -> None:
    pixels = [np.full((5, 6, 4), (i, i, i, 255), np.uint8) for i in (10, 20, 30)]
    data = make_apng((6, 5), [((0, 0), frame, 0, 0, (1, 9)) for frame in pixels])
    head, body = data.split(chunk(b"acTL", struct.pack(">II", 3, 0)))
    # The same file with an image before the first frame that is not shown.
    assert pixpress.decode(data)[0, 0].tolist() == [10, 10, 10, 255]
    still = zlib.compress((b"\0" + bytes([99, 98, 97, 255]) * 6) * 5)
    moved = body.replace(b"IDAT", b"none")
    assert b"IDAT" not in moved
    sequence = itertools.count()
    hidden = head + chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"IDAT", still)
    for frame in pixels[1:]:
        control = struct.pack(">IIIIIHHBB", next(sequence), 6, 5, 0, 0, 1, 9, 0, 0)
        rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in frame))
        hidden += chunk(b"fcTL", control)
        hidden += chunk(b"fdAT", struct.pack(">I", next(sequence)) + rows)
    hidden += chunk(b"IEND", b"")
    assert pixpress.decode(hidden)[0, 0].tolist() == [99, 98, 97, 255]
    frames = pixpress.decode(hidden, frames=True)
    assert [frame[0, 0, 0] for frame in frames] == [20, 30]


def test_privacy_no_text_or_trailing_byte_is_left() -> None:
    data, _ = animations(3)[0]
    secret = data[:33] + chunk(b"tEXt", b"Comment\0secret") + data[33:] + b"secret"
    for settings in ({}, {"width": 4}, {"format": "webp"}):
        assert b"secret" not in pixpress.compress(secret, **settings).data


def test_hostile_frames_are_refused_before_they_are_decoded() -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    data = make_apng((4, 4), [((0, 0), pixels, 0, 0, (1, 9)), ((0, 0), pixels, 0, 0, (1, 9))])
    many = data.replace(
        chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    )
    with pytest.raises(pixpress.LimitExceededError, match="max_frames"):
        pixpress.compress(many)
    none = data.replace(
        chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"acTL", struct.pack(">II", 3, 0))
    )
    with pytest.raises(pixpress.CorruptImageError, match="2 frames instead of 3"):
        pixpress.compress(none)
    outside = make_apng((4, 4), [((0, 0), pixels, 0, 0, (1, 9)), ((1, 0), pixels, 0, 0, (1, 9))])
    with pytest.raises(pixpress.CorruptImageError, match="outside of the image"):
        pixpress.compress(outside)
    assert [kind for kind, _ in chunks_of(data)].count(b"fcTL") == 2
