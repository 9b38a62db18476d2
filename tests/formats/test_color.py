"""What colors mean, from every profile to every format."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import pixpress

CORPUS = Path(
    os.environ.get("PIXPRESS_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")
)
ODD = CORPUS / "odd_jpeg"
CMYK = ["Kiara_limited_progressive_four_components.jpg", "Multiple_ICC_segments.jpg"]
needs_corpus = pytest.mark.skipif(not ODD.is_dir(), reason="the corpus is missing")
SRGB = ImageCms.createProfile("sRGB")


def opened(data: bytes | None) -> Image.Image:
    with Image.open(io.BytesIO(data or b"")) as image:
        image.load()
        return image.copy()


def difference(got: Image.Image, wanted: Image.Image) -> float:
    assert got.size == wanted.size
    both = [np.asarray(image.convert("RGB"), np.int16) for image in (got, wanted)]
    return float(np.abs(both[0] - both[1]).mean())


def as_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image, ImageCms.ImageCmsProfile(io.BytesIO(icc)), SRGB, outputMode="RGB"
    )
    assert converted is not None
    return converted


def wide_profile() -> bytes:
    """Display P3, as a photo of the corpus has it."""
    with Image.open(ODD / "apple_gainmap_new.jpg") as image:
        return bytes(image.info["icc_profile"])


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def gradient(mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:64, 0:96]
    planes = np.stack([x * 255 // 95, y * 255 // 63, 255 - x * 255 // 95], -1).astype(np.uint8)
    return Image.fromarray(planes).convert(mode)


def with_chunks(png: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    made = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return png[:33] + made + png[33:]


@needs_corpus
@pytest.mark.parametrize("name", CMYK)
@pytest.mark.parametrize("format", [f for f in pixpress.features()["write"] if f != "jpeg"])
def test_cmyk_is_what_lcms2_makes_of_its_profile(name: str, format: str) -> None:
    with Image.open(ODD / name) as image:
        wanted = as_srgb(image, image.info["icc_profile"])
    result = pixpress.compress(
        ODD / name, format=format, **({} if format in ("png", "gif") else {"quality": 95})
    )
    got = opened(result.data)
    assert not result.warnings
    assert "icc_profile" not in got.info
    if format == "gif":
        assert difference(got, wanted) <= 12  # 256 colors
    else:
        assert difference(got, wanted) <= (0.0 if format == "png" else 2.0)


@needs_corpus
def test_cmyk_is_converted_before_it_is_resized_over_stripes() -> None:
    with Image.open(ODD / CMYK[0]) as image:
        wanted = as_srgb(image, image.info["icc_profile"])
    result = pixpress.compress(ODD / CMYK[0], format="png", width=191)
    small = wanted.resize((result.width, result.height), Image.Resampling.LANCZOS)
    assert difference(opened(result.data), small) <= 2.0


@needs_corpus
@pytest.mark.parametrize("name", ["Channel_digital_image_CMYK_color_no_profile.jpg", "cymk.jpg"])
def test_cmyk_without_a_profile_takes_the_plain_formula(name: str) -> None:
    result = pixpress.compress(ODD / name, format="png")
    with Image.open(ODD / name) as image:
        assert difference(opened(result.data), image.convert("RGB")) == 0
    assert not result.warnings


def test_a_damaged_profile_is_a_warning_and_the_formula() -> None:
    jpeg = encoded(gradient("CMYK"), "JPEG", quality=95, icc_profile=b"nothing" * 40)
    result = pixpress.compress(jpeg, format="png")
    assert difference(opened(result.data), opened(jpeg).convert("RGB")) == 0
    assert len(result.warnings) == 1
    assert "plain formula" in result.warnings[0]


@needs_corpus
@pytest.mark.parametrize("seed", range(40))
def test_hostile_profiles_never_stop_a_job(seed: int) -> None:
    random = np.random.default_rng(seed)
    with Image.open(ODD / CMYK[1]) as image:
        icc = bytearray(image.info["icc_profile"])
    for _ in range(8):
        icc[int(random.integers(0, 600 if seed % 2 else len(icc)))] = int(random.integers(256))
    jpeg = encoded(gradient("CMYK"), "JPEG", icc_profile=bytes(icc))
    result = pixpress.compress(jpeg, format="png")
    assert opened(result.data).size == (96, 64)


@needs_corpus
@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "avif"])
def test_photos_keep_their_profile_where_the_format_holds_one(format: str) -> None:
    if format not in pixpress.features()["write"]:
        pytest.skip("not built in")
    icc = wide_profile()
    png = encoded(gradient(), "PNG", icc_profile=icc)
    options = {"lossless": True} if format in ("webp", "avif") else {}
    result = pixpress.compress(png, format=format, **options)
    got = opened(result.data)
    assert got.info["icc_profile"] == icc
    assert difference(got, gradient()) <= (0.0 if format != "jpeg" else 3.0)
    assert not result.warnings


@needs_corpus
def test_a_format_without_profiles_gets_srgb() -> None:
    icc = wide_profile()
    for image in (gradient(), gradient("RGBA")):
        image.putpixel((0, 0), image.getpixel((1, 0)))
        png = encoded(image, "PNG", icc_profile=icc)
        result = pixpress.compress(png, format="gif", dither=0.0)
        wanted = as_srgb(image.convert("RGB"), icc)
        assert difference(opened(result.data), wanted) < difference(opened(result.data), image)
        assert difference(opened(result.data), wanted) <= 6
        assert not result.warnings


def test_a_profile_of_srgb_changes_no_pixel() -> None:
    few = gradient().quantize(16).convert("RGB")
    png = encoded(few, "PNG", icc_profile=ImageCms.ImageCmsProfile(SRGB).tobytes())
    assert difference(opened(pixpress.compress(png, format="gif").data), few) == 0


@needs_corpus
def test_a_gray_profile_is_applied_where_gray_becomes_color() -> None:
    with Image.open(ODD / "concert.jpg") as image:
        icc = image.info["icc_profile"]
        wanted = as_srgb(image, icc)
    result = pixpress.compress(ODD / "concert.jpg", format="webp", lossless=True)
    got = opened(result.data)
    assert "icc_profile" not in got.info
    assert not result.warnings
    assert difference(got, wanted) <= 1.0
    kept = opened(pixpress.compress(ODD / "concert.jpg", format="png").data)
    assert kept.mode == "L"
    assert kept.info["icc_profile"] == icc


GAMMA_1 = (b"gAMA", struct.pack(">I", 100000))
GAMMA_SRGB = (b"gAMA", struct.pack(">I", 45455))
P3 = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
SRGB_CHUNK = (b"sRGB", b"\0")
CICP_P3 = (b"cICP", bytes([12, 13, 0, 1]))


def lossless_webp(png: bytes) -> pixpress.Result:
    return pixpress.compress(png, format="webp", lossless=True)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_linear_png_becomes_srgb_where_gamma_cannot_be_said(mode: str) -> None:
    image = gradient(mode)
    got = opened(lossless_webp(with_chunks(encoded(image, "PNG"), GAMMA_1)).data)
    linear = np.asarray(image.convert("RGB")) / 255
    curve = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    wanted = Image.fromarray((curve * 255 + 0.5).astype(np.uint8))
    assert difference(got, wanted) <= 1.0


@pytest.mark.parametrize("chunks", [[P3], [P3, GAMMA_SRGB], [CICP_P3], [CICP_P3, GAMMA_1]])
def test_wide_primaries_of_a_png_become_srgb(chunks: list[tuple[bytes, bytes]]) -> None:
    image = Image.new("RGB", (8, 8), (200, 60, 60))
    got = opened(lossless_webp(with_chunks(encoded(image, "PNG"), *chunks)).data)
    red, green, blue = got.convert("RGB").getpixel((3, 3))
    assert red > 210
    assert green < 55
    assert blue < 60


@pytest.mark.parametrize(
    "chunks", [[GAMMA_SRGB], [SRGB_CHUNK, GAMMA_1], [SRGB_CHUNK, P3], [(b"gAMA", b"\0\0\0\0")]]
)
def test_png_that_says_srgb_or_nonsense_keeps_its_pixels(
    chunks: list[tuple[bytes, bytes]],
) -> None:
    result = lossless_webp(with_chunks(encoded(gradient(), "PNG"), *chunks))
    assert difference(opened(result.data), gradient()) == 0


def test_png_to_png_keeps_chunks_and_pixels() -> None:
    png = with_chunks(encoded(gradient(), "PNG"), GAMMA_1)
    result = pixpress.compress(png, width=48)
    assert opened(result.data).info["gamma"] == 1.0
    plain = pixpress.compress(encoded(gradient(), "PNG"), width=48)
    assert difference(opened(result.data), opened(plain.data)) == 0


def test_hdr_png_is_kept_as_it_is_with_a_warning() -> None:
    hdr = (b"cICP", bytes([9, 16, 0, 1]))
    result = lossless_webp(with_chunks(encoded(gradient(), "PNG"), hdr))
    assert difference(opened(result.data), gradient()) == 0
    assert any("HDR" in warning for warning in result.warnings)


@needs_corpus
def test_the_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    made = set()
    for workers in (1, 3):
        with pixpress.Pool(max_workers=workers) as pool:
            jobs = [pool.submit(ODD / CMYK[0], format="webp") for _ in range(4)]
            made |= {job.result().data for job in jobs}
    assert len(made) == 1
