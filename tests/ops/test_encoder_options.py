"""Each knob of `encoder_options` does what it says; what is wrong is refused by name."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from made_pictures import photo
from PIL import Image

import pixpress
from pixpress import OptionError, Settings

HAS_AVIF = "avif" in pixpress.features()["write"]


def made(format: str, effort: int = 5, **knobs: Any) -> bytes:
    options = {format: knobs} if knobs else {}
    return pixpress.encode(photo(), format, effort=effort, encoder_options=options)


def rgb(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def error(data: bytes, pixels: np.ndarray) -> float:
    return float(np.abs(rgb(data) - pixels).mean())


def light(pixels: np.ndarray) -> np.ndarray:
    """The luminance of sRGB, about."""
    return (pixels / 255) ** 2.2 @ np.array([0.2126, 0.7152, 0.0722])


def test_jpeg_without_trellis_has_more_bytes_and_less_error() -> None:
    gray = photo()[..., 0]
    chosen, rounded, same = (
        pixpress.encode(gray, "jpeg", encoder_options={"jpeg": knobs})
        for knobs in ({}, {"trellis": False}, {"trellis": True})
    )
    assert len(rounded) > len(chosen) * 1.02
    assert error(rounded, gray[..., None]) < error(chosen, gray[..., None])
    assert same == chosen


def test_jpeg_with_trellis_at_a_low_effort_has_fewer_bytes() -> None:
    assert len(made("jpeg", effort=2, trellis=True)) < len(made("jpeg", effort=2)) * 0.95


def test_trellis_acts_on_jpeg_from_jpeg_too() -> None:
    source = pixpress.encode(photo(), "jpeg", quality=97)
    sizes = [
        len(
            pixpress.compress(
                source, quality=70, encoder_options={"jpeg": {"trellis": trellis}}
            ).data
            or b""
        )
        for trellis in (True, False)
    ]
    assert sizes[0] < sizes[1] * 0.98


def test_scan_search_changes_scans_and_no_pixel() -> None:
    fixed, searched = made("jpeg", effort=7), made("jpeg", effort=7, scan_search=True)
    assert len(searched) < len(fixed)
    assert np.array_equal(rgb(searched), rgb(fixed))
    assert made("jpeg", effort=9, scan_search=False) == fixed


def test_png_level_and_filter_change_bytes_and_no_pixel() -> None:
    shapes = photo() // 48 * 48
    levels = [
        pixpress.encode(
            shapes, "png", effort=2, encoder_options={"png": {"compression_level": level}}
        )
        for level in (1, 6, 12)
    ]
    assert len(levels[0]) > len(levels[1]) > len(levels[2])
    for data in levels:
        assert np.array_equal(rgb(data), shapes)
    filters = ("none", "sub", "up", "average", "paeth", "adaptive")
    files = {name: made("png", filter=name) for name in filters}
    assert len({len(data) for data in files.values()}) == len(filters)
    for data in files.values():
        assert np.array_equal(rgb(data), photo())


def test_png_filter_is_that_of_every_row() -> None:
    import zlib

    for number, name in enumerate(("none", "sub", "up", "average", "paeth")):
        data = made("png", filter=name)
        begin = data.index(b"IDAT")
        length = int.from_bytes(data[begin - 4 : begin], "big")
        rows = zlib.decompress(data[begin + 4 : begin + 4 + length])
        assert set(rows[:: 1 + 3 * 256]) == {number}


def test_webp_method_trades_time_for_bytes() -> None:
    assert len(made("webp", method=6)) < len(made("webp", method=0))
    assert made("webp", effort=5, method=6) == made("webp", effort=7)


def test_sharp_yuv_keeps_the_light_of_edges_of_color() -> None:
    stripe = (np.mgrid[0:96, 0:128][1] // 5 % 2 == 0)[..., None]
    pixels = np.where(stripe, (230, 20, 30), (20, 30, 230)).astype(np.uint8)
    plain, sharp, same = (
        pixpress.encode(pixels, "webp", quality=90, encoder_options={"webp": knobs})
        for knobs in ({}, {"sharp_yuv": True}, {"sharp_yuv": False})
    )
    errors = [np.abs(light(rgb(data)) - light(pixels)).mean() for data in (plain, sharp)]
    assert errors[1] < errors[0] / 2
    assert same == plain


@pytest.mark.skipif(not HAS_AVIF, reason="AVIF is not built in")
def test_avif_speed_is_that_of_the_effort_that_has_it() -> None:
    assert made("avif", effort=5, speed=9) == made("avif", effort=1)


def test_knobs_of_other_formats_are_not_looked_at() -> None:
    options = {"webp": {"method": 0}, "png": {"filter": "up"}}
    assert pixpress.encode(photo(), "jpeg", encoder_options=options) == made("jpeg")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"jpg": {}}, "one of jpeg, png, webp, avif for a key of encoder_options, got 'jpg'"),
        ({"jpeg": {"trelis": True}}, "one of trellis, scan_search for jpeg, got encoder_options"),
        ({"jpeg": {"trellis": 1}}, "True or False for encoder_options['jpeg']['trellis'], got 1"),
        ({"png": {"compression_level": 13}}, "a whole number from 1 to 12 for encoder_options"),
        ({"png": {"filter": "best"}}, "one of none, sub, up, average, paeth, adaptive for"),
        ({"webp": {"method": True}}, "a whole number from 0 to 6 for"),
        ({"avif": 4}, "a dict for encoder_options['avif'], got 4"),
        (["jpeg"], "a dict of dicts by format for encoder_options, got ['jpeg']"),
    ],
)
def test_what_is_wrong_is_named(options: Any, told: str) -> None:
    with pytest.raises(OptionError) as caught:
        Settings(encoder_options=options)
    assert told in str(caught.value)


def test_settings_with_knobs_are_values() -> None:
    options = {"jpeg": {"trellis": False}}
    settings, same = Settings(encoder_options=options), Settings(encoder_options=dict(options))
    assert settings == same
    assert hash(settings) == hash(same)
    assert settings != Settings()
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert settings.encoder_options == {"jpeg": {"trellis": False}}
    options["jpeg"]["trellis"] = True  # What was given may change.
    settings.encoder_options["jpeg"]["trellis"] = True  # type: ignore[index]
    assert settings.encoder_options == {"jpeg": {"trellis": False}}


def test_an_isolated_job_has_the_knobs(tmp_path: Any) -> None:
    with pixpress.Pool(max_workers=1, isolation="process") as pool:
        source = made("png")
        options = {"jpeg": {"trellis": False}}
        result = pool.submit(source, format="jpeg", encoder_options=options).result()
    assert result.data == made("jpeg", trellis=False)
