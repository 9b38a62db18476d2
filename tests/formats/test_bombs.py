"""Small files that would cost much: refused at once, or done for little."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

MOST_CPU_SECONDS = 0.05
MOST_EXTRA_BYTES = 8 << 20
ONE_MPX, SIXTEEN_MPX, SIXTY_FOUR_MPX = 1024, 4096, 8192


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _scan(first: int, last: int, data: bytes) -> bytes:
    return _segment(0xDA, bytes([1, 1, 0, first, last, 0])) + data


def scan_bomb(side: int, scans: int) -> bytes:
    """A valid gray progressive JPEG in which every scan after the first passes over all blocks."""
    blocks = (side // 8) ** 2
    one_code = bytes([1] + [0] * 15)
    # One code, "0", for "end of band for 16384 blocks and as many as 14 more bits say".
    bits = ("0" + "0" * 14) * -(-blocks // 16384)
    bits += "1" * (-len(bits) % 8)
    pass_over_all = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return (
        b"\xff\xd8"
        + _segment(0xDB, bytes([0] + [1] * 64))
        + _segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + bytes([1, 0x11, 0]))
        + _segment(0xC4, b"\x00" + one_code + b"\x00")
        + _segment(0xC4, b"\x10" + one_code + b"\xe0")
        + _scan(0, 0, bytes(-(-blocks // 8)))
        + _scan(1, 63, pass_over_all) * (scans - 1)
        + b"\xff\xd9"
    )


def _png(*chunks: tuple[bytes, bytes], size: tuple[int, int] = (1, 1)) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0)
    body = b"".join(chunk(*each) for each in chunks)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + body
        + chunk(b"IDAT", zlib.compress(b"\x00\x80"))
        + chunk(b"IEND", b"")
    )


def _deflated_zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(count >> 20)) + packer.flush()


def _jpeg(*segments: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 100, 50)).save(out, "JPEG")
    return out.getvalue()[:2] + b"".join(segments) + out.getvalue()[2:]


def _status_bytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def costs(call: Callable[[], object]) -> tuple[float, int]:
    """CPU seconds of this process and growth of its high-water mark while `call` runs."""
    Path("/proc/self/clear_refs").write_text("5")
    before_bytes = _status_bytes("VmRSS")
    start = time.process_time()
    call()
    seconds = time.process_time() - start
    return seconds, _status_bytes("VmHWM") - before_bytes


def _refusals(data: bytes) -> list[Callable[[], object]]:
    return [
        lambda: pixpress.decode(data),
        lambda: pixpress.compress(data),
        lambda: pixpress.compress(data, format="png"),
        lambda: pixpress.compress(data, format="webp", width=64),
    ]


def assert_refused(data: bytes, error: type[Exception]) -> None:
    """Every way to use `data` ends in `error`, for next to no time and memory."""
    pixpress.compress(np.zeros((8, 8), np.uint8), format="png")  # The pool is there.
    for refusal in _refusals(data):

        def run(refusal: Callable[[], object] = refusal) -> None:
            with pytest.raises(error):
                refusal()

        seconds, extra_bytes = costs(run)
        assert seconds < MOST_CPU_SECONDS
        assert extra_bytes < MOST_EXTRA_BYTES


def test_the_recipe_makes_a_valid_jpeg_that_pillow_decodes() -> None:
    data = scan_bomb(ONE_MPX, 10)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.size == (ONE_MPX, ONE_MPX)
        theirs = np.asarray(image)
    assert np.array_equal(pixpress.decode(data), theirs)


def test_eight_kilobytes_with_500_scans_are_refused_at_once() -> None:
    data = scan_bomb(ONE_MPX, 501)
    assert 8000 < len(data) < 8300
    assert_refused(data, pixpress.LimitExceededError)


@pytest.mark.parametrize("scans", [101, 1000])
@pytest.mark.parametrize("side", [ONE_MPX, SIXTEEN_MPX, SIXTY_FOUR_MPX])
def test_more_than_100_scans_are_refused(side: int, scans: int) -> None:
    assert_refused(scan_bomb(side, scans), pixpress.LimitExceededError)


@pytest.mark.parametrize("scans", [10, 100])
@pytest.mark.parametrize("side", [ONE_MPX, SIXTEEN_MPX, SIXTY_FOUR_MPX])
def test_up_to_100_scans_decode(side: int, scans: int) -> None:
    thumbnail = pixpress.compress(scan_bomb(side, scans), format="png", width=16)
    assert (thumbnail.width, thumbnail.height) == (16, 16)


def test_pixels_times_scans_have_a_limit_of_their_own() -> None:
    data = scan_bomb(ONE_MPX, 50)
    for most, is_refused in ((50 << 20, False), ((50 << 20) - 1, True)):
        limits = pixpress.Limits(max_pixel_scans=most)
        if is_refused:
            with pytest.raises(pixpress.LimitExceededError, match="max_pixel_scans"):
                pixpress.compress(data, limits=limits)
        else:
            assert pixpress.compress(data, limits=limits).width == ONE_MPX


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_compressed_chunks_of_a_gigabyte_are_never_inflated(kind: bytes) -> None:
    head = {b"zTXt": b"Comment\0\0", b"iTXt": b"Comment\0\1\0\0\0", b"iCCP": b"name\0\0"}[kind]
    data = _png((kind, head + _deflated_zeros(1 << 30)))
    for call in (lambda: pixpress.decode(data), lambda: pixpress.compress(data)):
        # A profile is inflated up to max_metadata_bytes, and dropped if it has more.
        _, extra_bytes = costs(call)
        assert extra_bytes < 32 << 20
    assert len(pixpress.compress(data).data) < 1000


def _avif_of(width: int, height: int) -> bytes:
    made = pixpress.encode(np.zeros((16, 16, 3), np.uint8), "avif")
    old = b"ispe" + struct.pack(">III", 0, 16, 16)
    assert old in made
    return made.replace(old, b"ispe" + struct.pack(">III", 0, width, height))


def _webp_of(width: int, height: int) -> bytes:
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    still = pixpress.encode(np.zeros((16, 16, 3), np.uint8), "webp")[12:]
    body = b"WEBP" + extended + still
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _huge_jpeg() -> bytes:
    data = bytearray(_jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xdc\xff\xdc"
    return bytes(data)


HUGE = {
    "png": lambda: _png(size=(2**31 - 1, 2**31 - 1)),
    "jpeg": _huge_jpeg,
    "gif": lambda: b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;",
    "webp": lambda: _webp_of(1 << 20, 1 << 12),
    "avif": lambda: _avif_of(1 << 20, 1 << 16),
}


@pytest.mark.parametrize("format", HUGE)
def test_headers_of_huge_canvases_are_refused(format: str) -> None:
    if format not in pixpress.features()["read"]:
        pytest.skip(f"{format} is not built in")
    data = HUGE[format]()
    with pytest.raises(pixpress.PixpressError) as caught:
        pixpress.probe(data)
    assert caught.value.code in ("LIMIT_EXCEEDED", "CORRUPT_IMAGE")
    assert_refused(data, type(caught.value))


@pytest.mark.parametrize("block", [b"\x01x", b"\xff" + b"x" * 255])
def test_a_gif_of_endless_sub_blocks_ends_with_its_bytes(block: bytes) -> None:
    data = b"GIF89a\x01\0\x01\0\0\0\0!\xfe" + block * ((1 << 20) // len(block))
    for call in _refusals(data):
        with pytest.raises(pixpress.CorruptImageError):
            call()


def test_a_gif_of_very_many_empty_extensions_still_decodes() -> None:
    image = b",\0\0\0\0\x01\0\x01\0\x80\0\0\0\xff\xff\xff\x02\x02D\x01\0;"
    data = b"GIF89a\x01\0\x01\0\0\0\0" + b"!\xfe\0" * 300_000 + image
    assert pixpress.decode(data).shape[:2] == (1, 1)
    assert pixpress.compress(data).compressed_size < 1000


def _exif_loop(order: str, tag: int) -> bytes:
    # One entry, which points to its own directory, as does the link to the next one.
    entry = struct.pack(order + "HHII", tag, 4, 1, 8)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", 1) + entry + struct.pack(order + "I", 8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tag", [0x8769, 0x8825, 0x014A, 0x0112])
def test_exif_directories_that_point_to_themselves_end(order: str, tag: int) -> None:
    exif = _exif_loop(order, tag)
    for data in (_jpeg(_segment(0xE1, b"Exif\0\0" + exif)), _png((b"eXIf", exif))):
        for metadata in ("none", "safe", "all"):
            assert pixpress.compress(data, metadata=metadata, format="webp").compressed_size > 0
        assert pixpress.probe(data).width in (1, 16)


def test_exif_of_65535_entries_is_read_within_its_bytes() -> None:
    exif = b"II*\0" + struct.pack("<IH", 8, 65535) + struct.pack("<HHII", 0x0112, 3, 1, 6) * 100
    assert pixpress.probe(_jpeg(_segment(0xE1, b"Exif\0\0" + exif))).orientation in (1, 6)


def _icc_pieces(piece: bytes, count: int = 255) -> bytes:
    pieces = [_segment(0xE2, b"ICC_PROFILE\0" + bytes([i, count]) + piece) for i in range(1, 256)]
    return _jpeg(*pieces)


def test_a_profile_of_255_full_pieces_is_refused_as_metadata() -> None:
    data = _icc_pieces(b"x" * 65519)
    assert len(data) > 16_000_000
    for call in _refusals(data):
        with pytest.raises(pixpress.LimitExceededError, match="max_metadata_bytes"):
            call()


@pytest.mark.parametrize("count", [255, 1, 0, 128])
def test_a_profile_of_255_tiny_pieces_is_no_trouble(count: int) -> None:
    data = _icc_pieces(b"x", count)
    assert pixpress.compress(data, format="webp").compressed_size > 0
    assert pixpress.compress(data).compressed_size > 0
