"""The public comparison can be made anywhere, compares fairly, and hides nothing."""

from __future__ import annotations

import dataclasses
import io
import itertools
import math
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
HANG_S = 900  # Ends a run that hangs; a busy machine may take many times as long as an idle one.
if not (ROOT / "benchmarks" / "compare.py").exists():
    pytest.skip("the benchmarks are not beside the tests", allow_module_level=True)
sys.path.append(str(ROOT / "benchmarks"))

from comparison import interpolation, page, pixels, sweep  # noqa: E402
from comparison.inputs import Inputs  # noqa: E402
from comparison.libraries import Libraries  # noqa: E402
from comparison.results import Curve, load  # noqa: E402
from comparison.tasks import TASKS  # noqa: E402

METRIC = "score"


def curve(scores: Sequence[float], sizes_bytes: Sequence[int]) -> Curve:
    """A sweep of one image."""
    qualities = list(range(len(scores)))
    each = [[score] for score in scores]
    return Curve(qualities, [[size] for size in sizes_bytes], {METRIC: each})


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_the_curve_goes_through_its_points_and_straight_between_points_on_a_line() -> None:
    line = [(1.0, 10.0), (2.0, 20.0), (5.0, 50.0)]
    for x in (1.0, 1.3, 2.0, 4.9, 5.0):
        assert interpolation.at(line, x) == pytest.approx(10 * x)
    assert interpolation.at(line, 0.99) is None
    assert interpolation.at(line, 5.01) is None


def test_the_curve_never_falls() -> None:
    steep = [(0.0, 0.0), (1.0, 0.001), (1.1, 9.0), (4.0, 9.001), (5.0, 10.0)]
    values = [interpolation.at(steep, x) for x in np.linspace(0, 5, 501)]
    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(values))


def test_the_curve_is_near_a_smooth_one() -> None:
    points = [(float(x), math.exp(x / 20)) for x in range(40, 100, 9)]
    for x in (50.0, 60.0, 70.0, 80.0, 90.0):
        assert interpolation.at(points, x) == pytest.approx(math.exp(x / 20), rel=0.02)


def test_points_that_another_beats_do_not_count() -> None:
    points = [(50.0, 1.0), (70.0, 3.0), (60.0, 4.0), (70.0, 3.5), (80.0, 5.0)]
    assert interpolation.frontier(points) == [(50.0, 1.0), (70.0, 3.0), (80.0, 5.0)]


def test_a_contender_of_half_the_bytes_at_every_score_has_the_ratio_one_half() -> None:
    ours = curve([55, 65, 78, 92], [500, 1000, 2000, 4000])
    peer = curve([55, 65, 78, 92], [1000, 2000, 4000, 8000])
    for target in (60, 75, 90):
        found, images = sweep.ratio(ours, peer, METRIC, target)
        assert found == pytest.approx(0.5)
        assert images == 1


def test_equal_contenders_are_equal_though_their_quality_numbers_differ() -> None:
    ours = curve([50, 60, 70, 80], [100, 200, 400, 800])
    peer = curve([40, 50, 60, 70, 80, 90], [50, 100, 200, 400, 800, 1600])
    assert sweep.ratio(ours, peer, METRIC, 65)[0] == pytest.approx(1.0)


def test_a_score_that_one_does_not_reach_is_not_guessed() -> None:
    low = curve([50, 60, 70], [100, 200, 400])
    high = curve([50, 70, 90], [100, 400, 1600])
    assert sweep.ratio(high, low, METRIC, 80) == (None, 0)


def test_a_bump_at_one_score_weighs_little_in_the_ratio_near_it() -> None:
    peer = curve([70, 78, 80, 82, 90], [1000, 1400, 1500, 1600, 2000])
    bump = curve([70, 79.4, 80, 80.6, 90], [1000, 1470, 1800, 1810, 2000])
    at_one = sweep.ratio(bump, peer, METRIC, 80)[0]
    near = sweep.ratio_near(bump, peer, METRIC, 80)[0]
    assert at_one == pytest.approx(1.2)
    assert near is not None
    assert 1.0 < near < 1.1


def test_the_ratio_near_a_score_is_of_what_both_reach() -> None:
    ours = curve([55, 65, 78, 80], [500, 1000, 2000, 2200])
    peer = curve([55, 65, 78, 80], [1000, 2000, 4000, 4400])
    assert sweep.ratio_near(ours, peer, METRIC, 80) == (pytest.approx(0.5), 1)
    assert sweep.ratio_near(ours, peer, METRIC, 95) == (None, 0)


def test_a_part_of_a_curve_is_that_of_its_images() -> None:
    two = Curve([1, 2], [[10, 100], [20, 200]], {METRIC: [[50, 60], [70, 80]]})
    assert sweep.part_of(two, slice(1, None)) == Curve(
        [1, 2], [[100], [200]], {METRIC: [[60], [80]]}
    )


def test_a_ratio_is_marked_where_it_is_worse_for_us() -> None:
    assert page.marked(0.5, is_more_better=True) == "**0.50** ▼"
    assert page.marked(1.5, is_more_better=False) == "**1.50** ▼"
    assert page.marked(1.5, is_more_better=True) == "1.50"
    assert page.marked(0.5, is_more_better=False) == "0.50"


def test_a_changed_sample_of_a_lossless_output_is_found_and_a_hidden_one_is_not() -> None:
    seen = np.full((8, 8, 4), 200, np.uint8)
    changed = seen.copy()
    changed[3, 4, 1] = 207
    assert pixels.difference(png(seen), png(changed)) == "samples differ by up to 7"
    hidden, other = seen.copy(), seen.copy()
    hidden[..., 3] = 0
    other[..., 3] = 0
    other[..., 0] = 1
    assert pixels.difference(png(hidden), png(other)) == ""


def test_a_round_takes_images_from_all_over_the_folder_within_its_megapixels(
    tmp_path: Path,
) -> None:
    paths = [tmp_path / f"{number}.jpg" for number in range(10)]
    for path in paths:
        Image.new("L", (1000, 1000)).save(path)
    Image.new("L", (3000, 1000)).save(paths[4])
    task = dataclasses.replace(TASKS[0], megapixels=4)
    inputs = Inputs(paths, [], [], sweep_side_px=64, sweep_images=1)
    names = [blob.name for blob in inputs.round_blobs(task)]
    assert names == ["1.jpg", "3.jpg", "6.jpg", "8.jpg"]
    assert inputs.round_blobs(dataclasses.replace(task, megapixels=0.1)) != []


def test_the_sweep_of_a_task_that_shrinks_shrinks_too(tmp_path: Path, photo: np.ndarray) -> None:
    Image.fromarray(photo).save(tmp_path / "photo.jpg")
    task = next(each for each in TASKS if each.job.side_px is not None)
    inputs = Inputs([tmp_path / "photo.jpg"], [], [], sweep_side_px=64, sweep_images=1)
    blobs = inputs.sweep_blobs(task)
    libraries = Libraries(1, ["Pillow"])
    (row,) = libraries.rows(task)
    job = libraries.job(task.swept(64), row)
    outputs = libraries.made["Pillow"].run(job, [blob.data for blob in blobs])
    libraries.close()
    assert [max(sweep.rgb(blob.data).size) for blob in blobs] == [128]
    assert [max(sweep.rgb(output).size) for output in outputs] == [64]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a smoke run with Pillow alone writes."""
    folder = tmp_path_factory.mktemp("docs")
    gifs = tmp_path_factory.mktemp("gifs")
    ramp = np.arange(256 * 256, dtype=np.uint32).astype(np.uint8).reshape(256, 256)
    frames = [Image.fromarray(np.roll(ramp, shift, 1)) for shift in range(3)]
    frames[0].save(gifs / "moving.gif", save_all=True, append_images=frames[1:], duration=40)
    command = [sys.executable, "benchmarks/compare.py", "--quick", "--out", str(folder)]
    only = ["--libraries", "pixpress", "Pillow", "--animations", str(gifs)]
    done = subprocess.run(
        [*command, *only], cwd=ROOT, capture_output=True, text=True, timeout=HANG_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_one_command_makes_a_table_of_every_task(made: Path) -> None:
    text = (made / "comparison.md").read_text()
    results = load(made / "comparison" / "results.json")
    names = {found.name for found in results.found}
    assert {"JPEG re-encode", "JPEG fit 1600", "PNG lossless", "PNG 256 colors"} <= names
    assert "GIF lossless" in names
    for found in results.found:
        section = text.split(f"## {found.name}\n")[1].split("\n## ")[0]
        assert section.count("\n| Pillow") >= 1, found.name
        for row in found.rows:
            assert len(row.seconds) == results.rounds
            assert min(row.seconds) > 0
            assert row.round_bytes > 0


def test_the_page_says_who_is_missing_and_how_it_was_made(made: Path) -> None:
    text = (made / "comparison.md").read_text()
    missing = re.search(r"Not there, and so not compared: (.*)", text)
    assert missing is not None
    assert {"pyvips", "sharp", "cwebp", "gifsicle"} <= set(missing[1].split(", "))
    for fact in ("Processor", "Date", "Command", "Load at the start", "Photographs"):
        assert f"- {fact}: " in text
    assert "--quick" in text


def test_memory_was_measured_once_per_library_and_task(made: Path) -> None:
    for found in load(made / "comparison" / "results.json").found:
        measured = [row.library for row in found.rows if row.growth_bytes is not None]
        assert sorted(measured) == sorted({row.library for row in found.rows}), found.name


def test_every_image_of_the_page_is_a_drawing_for_light_and_dark_pages(made: Path) -> None:
    names = re.findall(r"!\[[^]]*\]\((.*?)\)", (made / "comparison.md").read_text())
    assert len(names) >= 6
    for name in names:
        text = (made / name).read_text()
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
        assert "prefers-color-scheme: dark" in text
        assert "NaN" not in text


def test_the_page_can_be_written_again_from_its_data(made: Path) -> None:
    before = (made / "comparison.md").read_text()
    command = [sys.executable, "benchmarks/compare.py", "--render", "--out", str(made)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=HANG_S)
    assert (made / "comparison.md").read_text() == before


def test_the_drawings_of_jpeg_are_those_of_the_data_that_is_kept(tmp_path: Path) -> None:
    kept = ROOT / "docs" / "comparison"
    (tmp_path / "jpeg.json").write_text((kept / "jpeg.json").read_text())
    command = [sys.executable, "benchmarks/plot_jpeg.py", "--render", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=HANG_S)
    for name in ("jpeg_throughput.svg", "jpeg_bytes.svg"):
        text = (tmp_path / name).read_text()
        assert text == (kept / name).read_text()
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
        assert "NaN" not in text
