"""`post_process` makes outputs smaller without loss, says so, and never larger."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from made_pictures import photo
from PIL import Image

import pixpress
from pixpress.cli import main


def made(source: Any, **settings: Any) -> pixpress.Result:
    return pixpress.compress(source, **settings)


def shown(data: bytes | None) -> np.ndarray:
    with Image.open(io.BytesIO(data or b"")) as image:
        return np.asarray(image.convert("RGBA"))


@pytest.mark.parametrize("effort", [1, 2, 5, 8])
@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_outputs_become_smaller_and_show_the_same(format: str, effort: int) -> None:
    plain = made(photo(), format=format, effort=effort)
    again = made(photo(), format=format, effort=effort, post_process=True)
    assert again.compressed_size <= plain.compressed_size
    if (format, effort) != ("png", 8):
        assert again.compressed_size < plain.compressed_size
    assert np.array_equal(shown(again.data), shown(plain.data))
    assert again.timings["optimize"] > 0
    assert plain.timings.get("optimize", 0) == 0
    assert again.peak_memory <= again.estimated_memory


def test_jpeg_from_jpeg_keeps_its_metadata() -> None:
    image = Image.fromarray(photo())
    exif = Image.Exif()
    exif[0x8298] = "somebody"
    source = io.BytesIO()
    image.save(source, "JPEG", quality=96, exif=exif, dpi=(300, 300), subsampling="4:2:2")
    again = made(source.getvalue(), quality=80, effort=2, post_process=True)
    assert again.compressed_size < made(source.getvalue(), quality=80, effort=2).compressed_size
    with Image.open(io.BytesIO(again.data or b"")) as kept:
        assert kept.getexif()[0x8298] == "somebody"
        assert tuple(map(round, kept.info["dpi"])) == (300, 300)


def test_a_baseline_file_stays_one() -> None:
    for progressive in (False, True):
        result = made(photo(), format="jpeg", effort=1, progressive=progressive, post_process=True)
        assert pixpress.probe(result.data).is_progressive is progressive


def test_a_palette_and_its_transparency_stay() -> None:
    pixels = np.dstack([photo(), np.where(photo()[..., 0] > 90, 255, 0).astype(np.uint8)])
    settings: dict[str, Any] = {"format": "png", "colors": 32, "effort": 1}
    plain, again = made(pixels, **settings), made(pixels, **settings, post_process=True)
    assert again.compressed_size < plain.compressed_size
    assert np.array_equal(shown(again.data), shown(plain.data))


def test_sixteen_bits_stay() -> None:
    pixels = (photo().astype(np.uint16) * 255) + 17
    again = made(pixels, format="png", effort=1, post_process=True)
    assert np.array_equal(pixpress.decode(again.data), pixels)
    assert again.compressed_size < made(pixels, format="png", effort=1).compressed_size


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_there_is_nothing_more_to_do_for_others(format: str) -> None:
    assert made(photo(), format=format, post_process=True).data == made(photo(), format=format).data


def test_a_limit_of_scans_is_about_the_source() -> None:
    source = pixpress.encode(photo(), "jpeg", quality=95, progressive=False)
    limits = pixpress.Limits(max_scans=1)
    result = made(source, quality=70, limits=limits, post_process=True)
    assert pixpress.probe(result.data).is_progressive


def test_an_isolated_job_is_optimized_too() -> None:
    with pixpress.Pool(max_workers=1, isolation="process") as pool:
        result = pool.submit(photo(), format="jpeg", effort=2, post_process=True).result()
    assert result.data == made(photo(), format="jpeg", effort=2, post_process=True).data


def test_listeners_see_the_stage() -> None:
    large = np.tile(photo(), (5, 6, 1))
    with pixpress.Pool(max_workers=1) as pool:
        events = pool.events()
        pool.submit(large, format="png", effort=2, post_process=True).result()
        stages, percentages = [], []
        for event in events:
            if isinstance(event, pixpress.TaskProgress):
                stages.append(event.stage)
                percentages.append(event.percentage)
            if isinstance(event, pixpress.TaskComplete):
                break
    assert "optimizing" in stages
    assert percentages == sorted(percentages)


def test_the_command_has_it(tmp_path: Path) -> None:
    source, out = tmp_path / "a.png", tmp_path / "a.jpg"
    Image.fromarray(photo()).save(source)
    sizes = []
    for flags in ([], ["--post-process"]):
        arguments = ["compress", str(source), "-o", str(out), "--effort", "1", *flags]
        done = CliRunner().invoke(main, [*arguments, "--overwrite", "all", "--quiet"])
        assert done.exit_code == 0, done.output
        sizes.append(out.stat().st_size)
    assert sizes[1] < sizes[0]
