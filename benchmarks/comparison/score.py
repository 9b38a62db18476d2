"""How much an output looks like its reference, by metrics of established tools."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

_BUTTERAUGLI = "butteraugli_main"
# Equal images have no distance; what no eye sees is near enough.
_MOST_PSNR_DB = 99.0


@dataclass(frozen=True)
class Metric:
    """A score that rises with quality, and the scores at which bytes are compared."""

    name: str
    targets: tuple[float, ...]
    matched: float  # Throughput is compared at this one.
    score: Callable[[Image.Image, Image.Image], float]
    available: Callable[[], bool]
    version: Callable[[], str]


def _ssimulacra2(reference: Image.Image, output: Image.Image) -> float:
    import ssimulacra2

    files = [io.BytesIO(), io.BytesIO()]
    for file, image in zip(files, (reference, output), strict=True):
        image.save(file, "PPM")
        file.seek(0)
    return float(ssimulacra2.compute_ssimulacra2(*files))


def _butteraugli(reference: Image.Image, output: Image.Image) -> float:
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("reference.ppm", "output.ppm")]
        for path, image in zip(paths, (reference, output), strict=True):
            image.save(path)
        command = [_BUTTERAUGLI, *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    norm = re.search(r"3-norm: ([\d.]+)", done.stdout)
    if norm is None:
        raise RuntimeError(f"{_BUTTERAUGLI} printed no 3-norm: {done.stdout}")
    return -float(norm.group(1))


def _dssim(reference: Image.Image, output: Image.Image) -> float:
    from skimage.metrics import structural_similarity

    luma, made = (np.asarray(image.convert("L")) for image in (reference, output))
    similarity = structural_similarity(  # The windows and constants of Wang et al., 2004.
        luma, made, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    return -(1 - float(similarity)) / 2 * 1000


def _psnr(reference: Image.Image, output: Image.Image) -> float:
    difference = np.subtract(np.asarray(reference), np.asarray(output), dtype=np.int16)
    error = float(np.mean(np.square(difference, dtype=np.int32)))
    return _MOST_PSNR_DB if error == 0 else min(_MOST_PSNR_DB, 10 * math.log10(255**2 / error))


def _package_version() -> str:
    return f"the package ssimulacra2 {importlib.metadata.version('ssimulacra2')}"


METRICS = (
    Metric(
        "SSIMULACRA2",
        (60, 70, 80, 90),
        75,
        _ssimulacra2,
        lambda: importlib.util.find_spec("ssimulacra2") is not None,
        _package_version,
    ),
    Metric(
        "butteraugli",
        (-2.0, -1.5, -1.0, -0.7),
        -1.2,
        _butteraugli,
        lambda: shutil.which(_BUTTERAUGLI) is not None,
        lambda: f"the negative 3-norm of {_BUTTERAUGLI}, a command of libjxl",
    ),
    Metric(
        "DSSIM",
        (-30, -22, -16, -11),
        -18,
        _dssim,
        lambda: importlib.util.find_spec("skimage") is not None,
        lambda: (
            "-1000 (1 - SSIM) / 2 of luma, one scale, of the package scikit-image "
            f"{importlib.metadata.version('scikit-image')}"
        ),
    ),
    Metric("PSNR", (30, 33, 36, 40), 35, _psnr, lambda: True, lambda: "in dB, over RGB"),
)


def chosen(is_quick: bool) -> tuple[Metric, ...]:
    """Return the first two metrics that are there; PSNR only for a quick run."""
    if is_quick:
        return METRICS[-1:]
    return tuple(metric for metric in METRICS if metric.available())[:2]
