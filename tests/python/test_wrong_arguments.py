"""What is refused where it is passed, with words that name the option and what was expected."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pixpress

ARRAY = np.zeros((4, 4, 3), np.uint8)


@pytest.fixture(scope="module")
def pool() -> Iterator[pixpress.Pool]:
    with pixpress.Pool(max_workers=1) as pool:
        yield pool


def closed_image() -> Image.Image:
    image = Image.new("RGB", (3, 3))
    image.close()
    return image


def closed_file() -> object:
    with open(__file__, "rb") as file:
        return file


WRONG: dict[str, tuple[str, Callable[[pixpress.Pool], object]]] = {
    "settings": ("Settings for settings", lambda p: p.submit(ARRAY, settings={"quality": 3})),
    "priority": (
        "one of low, normal, high, critical for priority",
        lambda p: p.submit(ARRAY, format="png", priority=True),
    ),
    "block": ("True or False for block", lambda p: p.submit(ARRAY, format="png", block="no")),
    "task": ("a whole number for task_id", lambda p: p.task("1")),
    "cancel": ("a whole number for task_id", lambda p: p.cancel(None)),
    "shutdown": (
        "a number from .* for timeout",
        lambda p: p.shutdown(timeout="1"),
    ),
    "config": (
        "a path or a PoolConfig for config",
        lambda _: pixpress.Pool(config=3),
    ),
    "closed file": ("an open file for src", lambda _: pixpress.compress(closed_file())),
    "closed image": (
        "an image that is open for src",
        lambda _: pixpress.compress(closed_image(), format="png"),
    ),
    "no pixels": (".*, at least one, for array", lambda _: pixpress.encode(ARRAY[:0], "png")),
    "array": ("an encoded image: .* for src", lambda _: pixpress.probe(ARRAY)),
    "image": ("an encoded image: .* for src", lambda _: pixpress.probe(Image.new("L", (2, 2)))),
    "keep": (
        "one of jpeg, png, webp, gif, avif for format, got 'keep'",
        lambda _: pixpress.encode(ARRAY, "keep"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_message_says_what_was_expected_for_what(name: str, pool: pixpress.Pool) -> None:
    words, call = WRONG[name]
    with pytest.raises(pixpress.OptionError, match=f"Expected {words}"):
        call(pool)


def test_a_message_holds_the_beginning_of_a_long_value(pool: pixpress.Pool) -> None:
    with pytest.raises(pixpress.OptionError, match="dst") as caught:
        pool.submit(ARRAY, bytes(1 << 20), format="png")
    assert len(str(caught.value)) < 300
    assert str(caught.value).endswith("... (bytes)")


@pytest.mark.parametrize("task_id", [-1, 0, 10**6, 2**64, 2**200])
def test_numbers_of_no_job_are_none(task_id: int, pool: pixpress.Pool) -> None:
    assert pool.task(task_id) is None
    assert pool.cancel(task_id) is False
    assert pool.reprioritize(task_id, "high") is False


def test_integers_of_numpy_are_numbers_everywhere() -> None:
    settings = pixpress.Settings(quality=np.int64(7), max_bytes=np.int32(10**6))
    assert pixpress.compress(ARRAY, format="jpeg", settings=settings).quality == 7
    with pixpress.Pool(max_workers=np.int8(1), memory_limit=np.int64(10**9)) as pool:
        assert pool.stats()["memory_limit"] == 10**9


def test_lists_in_settings_are_tuples_so_that_equal_settings_are_one_key() -> None:
    lists = pixpress.Settings(position=[0, 1], background=[1, 2, 3])
    tuples = pixpress.Settings(position=(0, 1), background=(1, 2, 3))
    assert lists == tuples
    assert hash(lists) == hash(tuples)
    assert pickle.loads(pickle.dumps(lists)) == tuples


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_pool_is_not_copied(act: Callable[[Any], object], pool: pixpress.Pool) -> None:
    with pytest.raises(TypeError, match="a Pool cannot be pickled or copied"):
        act(pool)


def test_a_pillow_image_where_an_array_goes_is_what_it_shows(tmp_path: Path) -> None:
    red = Image.new("RGB", (9, 8), (200, 10, 30))
    shown = np.asarray(red)
    for image in (red, red.convert("P", palette=Image.Palette.ADAPTIVE)):
        assert np.array_equal(pixpress.decode(pixpress.encode(image, "png")), shown)
        assert np.array_equal(pixpress.resize(image, (9, 8)), shown)
        assert pixpress.ssimulacra2(image, shown) == 100
        _, palette = pixpress.quantize(image)
        assert palette.tolist() == [[200, 10, 30, 255]]
    bits = Image.new("1", (3, 2), 1)
    assert pixpress.decode(pixpress.encode(bits, "png")).tolist() == [[255] * 3] * 2
