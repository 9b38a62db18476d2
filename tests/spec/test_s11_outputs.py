"""S11: the outputs of worker processes are those of threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from worker_processes import isolated

import pixpress

ROOT = Path(__file__).parents[2]
FORMATS = pixpress.features()["write"]
pytestmark = pytest.mark.usefixtures("no_process_is_left")


SETTINGS = [
    {},
    {"quality": 40, "effort": 3},
    {"width": 200},
    {"width": 120, "height": 90, "fit": "cover", "position": "top"},
    {"width": 150, "height": 150, "fit": "contain", "background": "#102030"},
    {"metadata": "all", "auto_orient": False},
    {"max_bytes": 6000, "width": 160},
    {"target": "ssimulacra2:60", "width": 160},
    {"on_damage": "salvage", "quality": 70},
    {"linear": True, "width": 100, "resample": "mitchell"},
]


@pytest.mark.parametrize("format", ["keep", *FORMATS])
def test_outputs_are_those_of_thread_mode(format: str, samples: list[Path]) -> None:
    def outcome(pool: pixpress.Pool, source: object, options: dict) -> tuple:
        try:
            result = pool.submit(source, format=format, **options).result(timeout=120)
        except pixpress.PixpressError as error:
            return error.code, error.stage, str(error)
        facts = (result.format, result.width, result.height, result.original_size)
        return result.data, *facts, result.skipped_reason, result.score, result.warnings

    sources: list[tuple[object, dict]] = [
        (path, options) for i, path in enumerate(samples) for options in SETTINGS[i % 4 :: 4]
    ]
    if format != "keep":
        sources.append((np.asarray(Image.open(ROOT / "tests/data/chart.png")), {"width": 90}))
    with pixpress.Pool(max_workers=1) as threads, isolated() as processes:
        for source, options in sources:
            expected = outcome(threads, source, options)
            assert outcome(processes, source, options) == expected, (source, options)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One small image of each kind, made by Pillow, and a damaged one."""
    folder = tmp_path_factory.mktemp("samples")
    photo = Image.open(ROOT / "tests/data/landscape_2.jpg").resize((300, 225))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8298] = "somebody"
    photo.save(folder / "turned.jpg", quality=90, exif=exif)
    photo.convert("L").save(folder / "gray.jpg", progressive=True)
    photo.convert("RGBA").save(folder / "alpha.png")
    photo.quantize(32).save(folder / "palette.png")
    photo.save(folder / "photo.webp", quality=85)
    frames = [photo.rotate(10 * i).resize((120, 90)) for i in range(4)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "moving.webp", save_all=True, append_images=frames[1:])
    whole = (folder / "turned.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    return sorted(folder.iterdir())
