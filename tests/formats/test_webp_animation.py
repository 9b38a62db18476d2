"""Animated WebP against Pillow: every frame, its time, the loop count, and the container."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import pixpress


def riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 12
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def frames_of(data: bytes) -> list[bytes]:
    return [body for kind, body in riff_chunks(data) if kind == b"ANMF"]


def moving(count: int = 6, alpha: bool = False) -> list[Image.Image]:
    images = []
    for index in range(count):
        pixels = np.zeros((48, 64, 4), np.uint8)
        pixels[..., 0] = np.arange(64) * 4
        pixels[..., 3] = 0 if alpha else 255
        pixels[10:30, 4 + 7 * index : 24 + 7 * index] = (10, 200, 90, 255)
        pixels[30:40, 4 + 7 * index : 24 + 7 * index] = (200, 20, 90, 120 if alpha else 255)
        images.append(Image.fromarray(pixels))
    return images


def saved(images: list[Image.Image], **options: object) -> bytes:
    out = io.BytesIO()
    images[0].save(out, "WEBP", save_all=True, append_images=images[1:], **options)
    return out.getvalue()


def visible(canvas: np.ndarray) -> np.ndarray:
    return np.where(canvas[..., 3:] == 0, 0, canvas)


def test_real_files_decode_as_in_pillow(animated_webp, played) -> None:
    data = animated_webp.path.read_bytes()
    canvases, _, loop = played(data)
    frames = pixpress.decode(data, mode="RGBA", frames=True)
    info = pixpress.probe(data)
    assert info.frames == len(frames) == len(canvases)
    for index, (own, theirs) in enumerate(zip(frames, canvases, strict=True)):
        assert np.array_equal(visible(own), visible(theirs)), f"frame {index}"
    assert np.array_equal(
        visible(pixpress.decode(data, mode="RGBA"))[..., :3], visible(canvases[0])[..., :3]
    )
    assert loop is not None


def test_real_files_keep_frames_times_and_plays(animated_webp, played) -> None:
    data = animated_webp.path.read_bytes()
    result = pixpress.compress(data, lossless=True, effort=2)
    canvases, durations, loop = played(result.data)
    expected, times, plays = played(data)
    assert sum(durations) == sum(times)
    assert loop == plays
    assert len(result.data) <= len(data)
    assert len(canvases) <= len(expected)
    assert np.array_equal(visible(canvases[-1]), visible(expected[-1]))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("effort", [1, 4, 8])
def test_lossless_output_shows_the_same_canvases(alpha: bool, effort: int, played) -> None:
    data = saved(
        moving(alpha=alpha), duration=[40, 50, 60, 70, 1, 16_000_000], loop=7, lossless=True
    )
    result = pixpress.compress(data, lossless=True, effort=effort, overwrite="all")
    canvases, durations, loop = played(result.data)
    assert durations == [40, 50, 60, 70, 1, 16_000_000]
    assert loop == 7
    for own, theirs in zip(canvases, played(data)[0], strict=True):
        assert np.array_equal(visible(own), visible(theirs))


def test_quality_and_alpha_quality_act_on_frames() -> None:
    rng = np.random.default_rng(0)
    noise = np.cumsum(rng.integers(-9, 10, (4, 80, 80, 4)), axis=1).astype(np.uint8)
    opaque = saved([Image.fromarray(f[..., :3]) for f in noise], duration=40, lossless=True)
    sizes = [len(pixpress.compress(opaque, width=70, quality=q).data) for q in (20, 60, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 2
    data = saved([Image.fromarray(frame) for frame in noise], duration=40, lossless=True)
    coarse = pixpress.compress(data, width=70, alpha_quality=10).data
    assert len(coarse) < len(pixpress.compress(data, width=70).data)


def test_original_frames_are_kept_bit_for_bit_without_their_metadata() -> None:
    data = saved(
        moving(), duration=40, quality=1, method=6, minimize_size=True, xmp=b"<x>secret</x>"
    )
    result = pixpress.compress(data, lossless=True, effort=1)
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER
    assert frames_of(result.data) == frames_of(data)
    assert b"secret" not in result.data
    with_all = pixpress.compress(data + b"tail", lossless=True, effort=1, metadata="all")
    assert with_all.data == data


def test_profiles_and_the_policy_hold_for_animations() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(moving(), duration=40, icc_profile=profile, xmp=b"<x>secret</x>")
    result = pixpress.compress(data, width=32)
    kinds = [kind for kind, _ in riff_chunks(result.data)]
    assert kinds[:3] == [b"VP8X", b"ICCP", b"ANIM"]
    assert Image.open(io.BytesIO(result.data)).info["icc_profile"] == profile
    assert b"secret" not in result.data
    kept = pixpress.compress(data, width=32, metadata="all").data
    assert (b"XMP ", b"<x>secret</x>") in riff_chunks(kept)


def test_a_file_that_is_cut_off_is_corrupt() -> None:
    data = saved(moving(), duration=40)
    for size in (len(data) - 1, len(data) // 2, 60):
        with pytest.raises(pixpress.CorruptImageError):
            pixpress.compress(data[:size])
        with pytest.raises(pixpress.CorruptImageError):
            pixpress.compress(data[:size], animated=False)
