"""Build the C++ core once with CMake and Ninja, then link the one extension module against it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
CORE_BUILD = ROOT / "build" / "core"
# In link order: a layer before those that it uses.
LAYERS = ("engine", "pipeline", "sched", "codecs", "kernels", "image", "memory", "base")
# pkg-config module and the Debian package that has it.
LIBRARIES = {
    "libjpeg": "libjpeg62-turbo-dev",
    "libpng16": "libpng-dev",
    "libdeflate": "libdeflate-dev",
    "zlib": "zlib1g-dev",
    "libwebp": "libwebp-dev",
    "libwebpmux": "libwebp-dev",
    "libwebpdemux": "libwebp-dev",
    "libhwy": "libhwy-dev",
}


def run(command: list[str]) -> str:
    """Run a command of the build; its output is shown when it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def link_flags() -> list[str]:
    """Return the linker flags of the native libraries."""
    for tool, package in (
        ("cmake", "cmake"),
        ("ninja", "ninja-build"),
        ("pkg-config", "pkg-config"),
    ):
        if shutil.which(tool) is None:
            sys.exit(f"building pixpress needs {tool}: install the Debian package {package}")
    flags: list[str] = []
    for module, package in LIBRARIES.items():
        known = subprocess.run(["pkg-config", "--exists", module])
        if known.returncode != 0:
            sys.exit(f"building pixpress needs {module}: install the Debian package {package}")
        flags += run(["pkg-config", "--libs", module]).split()
    return flags


class BuildCore(build_ext):
    """Build the static core, once for all Python versions, before the extension."""

    def build_extensions(self) -> None:
        configure = ["cmake", "-S", str(ROOT / "csrc"), "-B", str(CORE_BUILD), "-G", "Ninja"]
        run([*configure, "-DPIXPRESS_TESTS=OFF"])
        run(["ninja", "-C", str(CORE_BUILD)])
        super().build_extensions()


if not sys.platform.startswith("linux"):
    sys.exit("pixpress builds on Linux only")

os.chdir(ROOT)
extension = Extension(
    "pixpress._native",
    ["src/pixpress/_native.pyx"],
    language="c++",
    include_dirs=["csrc"],
    extra_objects=[str(CORE_BUILD / f"libpixpress_{layer}.a") for layer in LAYERS],
    extra_compile_args=[
        "-std=c++20",
        "-O2",
        "-g0",
        "-fvisibility=hidden",
        "-fstack-protector-strong",
    ],
    extra_link_args=[*link_flags(), "-pthread", "-Wl,-z,relro,-z,now"],
)
setup(
    ext_modules=cythonize([extension], build_dir="build/cython", include_path=["src"]),
    cmdclass={"build_ext": BuildCore},
)
