"""Adapters of the libraries that pixpress is compared with, one per file.

Each is a class with a ``name``, ``available()``, a constructor that takes the number of threads,
``run(job, blobs)``, which does one of the jobs of :mod:`peers.job` on every blob and returns the
outputs, and ``close()``.
"""

from peers.job import Job
from peers.opencv import OpenCV
from peers.pillow import Pillow
from peers.pixpress import Pixpress
from peers.pyvips import PyVips
from peers.sharp import Sharp

ALL = (Pixpress, PyVips, OpenCV, Pillow, Sharp)

__all__ = ["ALL", "Job", "OpenCV", "Pillow", "Pixpress", "PyVips", "Sharp"]
