"""What is compared: jobs, and the material that each works on."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from peers.job import Job


class Material(enum.Enum):
    """What a job's inputs are made from."""

    CAMERA = "JPEG photographs as they are"
    PHOTO_JPEG = "photographs, shrunk, as JPEG of quality 95"
    PHOTO_PNG = "photographs, shrunk, as PNG"
    PNG = "PNG files as they are: photographs and graphics"
    GIF = "GIF files as they are, still and animated"


@dataclass(frozen=True)
class Task:
    """A job, its material, and how many megapixels of it a round takes, about."""

    job: Job
    material: Material
    megapixels: float

    @property
    def has_sweep(self) -> bool:
        return not self.job.is_lossless

    def swept(self, side_px: int) -> Task:
        """Return the task for a sweep with outputs of a size; what fits a square fits that one."""
        if self.job.side_px is None:
            return self
        return replace(self, job=replace(self.job, side_px=side_px))


def _lossy(source: str, output: str) -> Job:
    return Job(f"{output} lossy from {source}", source=source.lower(), format=output.lower())


def _lossless(source: str, output: str) -> Job:
    name = f"{output} lossless" + ("" if source == output else f" from {source}")
    return Job(name, source=source.lower(), format=output.lower(), is_lossless=True)


TASKS = (
    Task(Job("JPEG re-encode"), Material.CAMERA, 150),
    Task(Job("JPEG fit 1600", side_px=1600), Material.CAMERA, 150),
    Task(_lossy("PNG", "WebP"), Material.PHOTO_PNG, 8),
    Task(_lossy("JPEG", "WebP"), Material.PHOTO_JPEG, 8),
    Task(_lossy("PNG", "AVIF"), Material.PHOTO_PNG, 4),
    Task(
        Job("PNG 256 colors", quality=256, source="png", format="png", has_palette=True),
        Material.PNG,
        5,
    ),
    Task(_lossless("PNG", "PNG"), Material.PNG, 5),
    Task(_lossless("PNG", "WebP"), Material.PNG, 2.5),
    Task(_lossless("JPEG", "WebP"), Material.PHOTO_JPEG, 2.5),
    Task(_lossless("GIF", "GIF"), Material.GIF, 80),
)
