"""Adapters of the libraries and commands that pixpress is compared with, one per file.

Each is a :class:`peers.job.Adapter`. ``ALL`` are those that bench_peers.py times on JPEG, and
``COMPARED`` those of the public comparison.
"""

from peers.avifenc import Avifenc
from peers.cwebp import Cwebp
from peers.gifsicle import Gifsicle
from peers.imagequant import Imagequant
from peers.job import Adapter, Job
from peers.opencv import OpenCV
from peers.oxipng import Oxipng
from peers.pillow import Pillow
from peers.pixpress import Pixpress
from peers.pngquant import Pngquant
from peers.pyvips import PyVips
from peers.sharp import Sharp

ALL: tuple[type[Adapter], ...] = (Pixpress, PyVips, OpenCV, Pillow, Sharp)
_OTHERS: tuple[type[Adapter], ...] = (Oxipng, Imagequant, Pngquant, Gifsicle, Cwebp, Avifenc)
COMPARED = ALL + _OTHERS

__all__ = ["ALL", "COMPARED", "Adapter", "Job"]
