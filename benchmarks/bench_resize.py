"""How many source megapixels per second does one thread resize, from 24 megapixels?

To 1.5 megapixels, a ratio of 4, and to others. Seconds of CPU, as each has one thread. Arrays in
memory, Lanczos of three lobes (OpenCV: area), 8 and 16 bits, against cykooz.resizer
(fast_image_resize), OpenCV and pyvips, with one thread each. Outputs are compared with
pixpress's. A peer that is missing is left out, and named.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interleaved import TAPE, Seconds, in_turns, medians

import pixpress

WIDTH, HEIGHT = 6000, 4000
SIZES = [(1500, 1000), (1818, 1212), (3000, 2000), (4000, 2667)]
KINDS = {"gray": 1, "RGB": 3, "RGBA": 4, "gray16": 1, "RGB16": 3, "RGBA16": 4}
Array = np.ndarray[Any, Any]
Size = tuple[int, int]
# Resizes the array that it was made for.
Resize = Callable[[], Array]


def pixels_of(photo: Path, kind: str) -> Array:
    """Return a photograph of 24 megapixels with as many channels and bits."""
    array = pixpress.decode(photo, mode="RGB")
    array = pixpress.resize(array, (WIDTH, HEIGHT), "bicubic")
    if KINDS[kind] == 1:
        array = np.ascontiguousarray(array[..., 1])
    elif KINDS[kind] == 4:
        ramp = np.broadcast_to(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, WIDTH))
        array = np.dstack([array, ramp])
    return array.astype(np.uint16) * 257 if kind.endswith("16") else array


def cykooz(kind: str, array: Array, size: Size) -> Resize:
    module = importlib.import_module("cykooz_resizer")
    channels, is_deep = KINDS[kind], kind.endswith("16")
    name = ("U16" if is_deep else "U8") + (f"x{channels}" if channels > 1 else "")
    pixel_type = module.PixelType[name]
    resizer = module.Resizer()
    options = module.ResizeOptions(
        module.ResizeAlg.convolution(module.FilterType.lanczos3),
        thread_pool=module.ResizerThreadPool(1),
    )

    source = module.ImageData(WIDTH, HEIGHT, pixel_type, array.tobytes())

    def resize() -> Array:
        target = module.ImageData(*size, pixel_type)
        resizer.resize(source, target, options)
        flat = np.frombuffer(target.get_buffer(), array.dtype)
        return flat.reshape(size[1], size[0], *array.shape[2:])

    return resize


def opencv(kind: str, array: Array, size: Size) -> Resize:
    module = importlib.import_module("cv2")
    module.setNumThreads(1)
    return lambda: module.resize(array, size, interpolation=module.INTER_AREA)


def pyvips(kind: str, array: Array, size: Size) -> Resize:
    os.environ["VIPS_CONCURRENCY"] = "1"  # Read once, when libvips is loaded.
    module = importlib.import_module("pyvips")
    scale, vertical = size[0] / WIDTH, size[1] / HEIGHT

    def resize() -> Array:
        image = module.Image.new_from_array(array)
        if KINDS[kind] == 4:
            most = {"max_alpha": np.iinfo(array.dtype).max}
            weighed = image.premultiply(**most).resize(scale, vscale=vertical)
            small = weighed.unpremultiply(**most).cast(image.format)
        else:
            small = image.resize(scale, vscale=vertical)
        return np.asarray(small.numpy())

    return resize


PEERS = {"cykooz.resizer": cykooz, "OpenCV": opencv, "pyvips": pyvips}


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def pixels(kind: str, photo_paths: list[Path]) -> Array:
    return pixels_of(max(photo_paths, key=lambda path: path.stat().st_size), kind)


@pytest.fixture(scope="module", params=SIZES, ids="{0[0]}x{0[1]}".format)
def measurement(
    request: pytest.FixtureRequest, kind: str, pixels: Array, rounds: int
) -> tuple[str, Seconds]:
    size = request.param
    resizers: dict[str, Resize] = {"pixpress": lambda: pixpress.resize(pixels, size)}
    for name, make in PEERS.items():
        try:
            resizers[name] = make(kind, pixels, size)
        except ImportError as error:
            print(f"{name} is left out: {error}")
    ours = resizers["pixpress"]().astype(np.float64)
    for name, resize in resizers.items():
        theirs = resize().astype(np.float64)
        assert theirs.shape == ours.shape, name
        seen = np.abs(theirs - ours)
        if KINDS[kind] == 4:  # Color is another where alpha does not weigh it, as in OpenCV.
            seen = seen[..., 3]
        assert seen.mean() < 4 * ours.max() / 255, name

    def timed(resize: Resize) -> float:
        start = time.process_time()
        resize()
        return time.process_time() - start

    contenders = {name: lambda each=each: timed(each) for name, each in resizers.items()}
    return f"{kind:6} to {size[0]}", in_turns(contenders, rounds)


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
def test_resizing(measurement: tuple[str, Seconds], benchmark, finding) -> None:
    name, seconds = measurement
    TAPE.play(benchmark, seconds["pixpress"])
    middle = medians(seconds)
    speeds = {name: WIDTH * HEIGHT / 1e6 / value for name, value in middle.items()}
    best = max((peer for peer in speeds if peer != "pixpress"), key=speeds.__getitem__)
    table = ", ".join(f"{peer} {speed:.0f}" for peer, speed in speeds.items())
    ratio = speeds["pixpress"] / speeds[best]
    finding(f"{name} MP/s: {table}; over {best}: {ratio:.2f} (aim: 1.1)")
