"""Build the C++ core and the worker program once with CMake and Ninja, then link the extension."""

from __future__ import annotations

import fcntl
import os
import shlex
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
LAYERS = (
    "engine",
    "isolation",
    "pipeline",
    "sched",
    "observe",
    "store",
    "codecs",
    "kernels",
    "image",
    "memory",
    "base",
)
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
    "sqlite3": "libsqlite3-dev",
    "lcms2": "liblcms2-dev",
    "libseccomp": "libseccomp-dev",
}
# Built in where it is there.
OPTIONAL_LIBRARIES = ("libavif",)
TOOLS = {"cmake": "cmake", "ninja": "ninja-build", "pkg-config": "pkg-config"}
HARDENED = ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong"]


def has_library(module: str) -> bool:
    """Tell whether pkg-config knows a module."""
    return subprocess.run(["pkg-config", "--exists", module]).returncode == 0


def run(command: list[str]) -> str:
    """Run a command of the build; its output is shown when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def require_tools_and_libraries() -> None:
    """Stop with the names of all Debian packages that the build lacks."""
    lacks = {tool: package for tool, package in TOOLS.items() if shutil.which(tool) is None}
    if "pkg-config" not in lacks:
        for module, package in LIBRARIES.items():
            if not has_library(module):
                lacks[module] = package
    if lacks:
        packages = " ".join(dict.fromkeys(lacks.values()))
        sys.exit(
            f"building pixpress needs {', '.join(lacks)}; on Debian: apt-get install {packages}"
        )


class BuildCore(build_ext):
    """Build the static core, once for all Python versions, before the extension."""

    def build_extensions(self) -> None:
        require_tools_and_libraries()
        CORE_BUILD.parent.mkdir(exist_ok=True)
        with (CORE_BUILD.parent / "core.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # Builds for several Pythons may run side by side.
            configure = ["cmake", "-S", "csrc", "-B", str(CORE_BUILD), "-G", "Ninja"]
            options = shlex.split(os.environ.get("CMAKE_ARGS", ""))
            run([*configure, "-DPIXPRESS_TESTS=OFF", *options])
            run(["ninja", "-C", str(CORE_BUILD), "pixpress_engine", "pixpress_worker"])
        (extension,) = self.extensions
        extension.depends += [*map(str, Path("csrc").glob("*/*.h")), *extension.extra_objects]
        libraries = [*LIBRARIES, *filter(has_library, OPTIONAL_LIBRARIES)]
        extension.extra_compile_args += run(["pkg-config", "--cflags", *libraries]).split()
        extension.extra_link_args += run(["pkg-config", "--libs", *libraries]).split()
        super().build_extensions()
        place_worker(Path(self.get_ext_fullpath(extension.name)).parent)

    def copy_extensions_to_source(self) -> None:
        super().copy_extensions_to_source()
        place_worker(ROOT / "src" / "pixpress")


def place_worker(folder: Path) -> None:
    """Put the worker program beside the extension; the one that is there may be running."""
    new = folder / "_worker.new"
    shutil.copy(CORE_BUILD / "pixpress_worker", new)
    new.chmod(0o755)
    new.replace(folder / "_worker")


if not sys.platform.startswith("linux"):
    sys.exit("pixpress builds on Linux only")

os.chdir(ROOT)
setup(
    ext_modules=cythonize(
        [
            Extension(
                "pixpress._native",
                ["src/pixpress/_native.pyx"],
                language="c++",
                include_dirs=["csrc"],
                extra_objects=[str(CORE_BUILD / f"libpixpress_{layer}.a") for layer in LAYERS],
                extra_compile_args=["-std=c++20", "-O2", "-g0", "-fvisibility=hidden", *HARDENED],
                extra_link_args=[
                    "-pthread",
                    "-Wl,--as-needed,--exclude-libs,ALL",
                    "-Wl,-z,relro,-z,now,-z,noexecstack",
                    "-Wl,--build-id=sha1",  # Cached results are told by it.
                ],
            )
        ],
        build_dir="build/cython",
        include_path=["src"],
    ),
    cmdclass={"build_ext": BuildCore},
    # From PyPI only where the system has none; read by the build front end.
    setup_requires=[name for name in ("cmake", "ninja") if shutil.which(name) is None],
)
