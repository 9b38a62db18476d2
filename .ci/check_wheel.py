"""Check that the installed pixpress is a wheel that carries its codecs and their licenses.

Runs in an environment with nothing but the wheel and the test tools.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pixpress

# The codecs that the core calls; a linker drops what it does not, and zlib is every system's.
CODECS = {"libjpeg", "libpng16", "libwebp", "libdeflate"}
# Of the worker program, and no part of this process.
WORKER_ONLY = {"libseccomp"}


def stem(library: str) -> str:
    """Return a library's name without version and hash: libwebp of libwebp-4fedb320.so.7.1.5."""
    return library.split(".so")[0].split("-")[0]


def loaded_libraries() -> set[Path]:
    """Return the shared objects that this process has mapped."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = (line.split(maxsplit=5)[5] for line in lines if line.count("/") > 0)
    return {Path(path) for path in paths if ".so" in path}


def check_worker(worker: Path, carried: Path) -> None:
    """Exit unless the worker program runs jobs with the codecs of the wheel."""
    found = subprocess.run(["ldd", worker], capture_output=True, text=True).stdout
    for library in CODECS | WORKER_ONLY:
        lines = [line for line in found.splitlines() if stem(line.strip()) == library]
        if not lines or not all(f"/../{carried.name}/" in line for line in lines):
            sys.exit(f"the worker program does not take {library} from the wheel:\n{found}")
    with pixpress.Pool(max_workers=1, isolation="process") as pool:
        result = pool.submit(b"\x89PNG\r\n\x1a\n and no more", format="jpeg").exception()
    if not isinstance(result, pixpress.CorruptImageError):
        sys.exit(f"the worker program answers {result!r}")


def main() -> None:
    """Exit with a message at the first thing that is wrong."""
    where = Path(pixpress.__file__).parent
    if not where.is_relative_to(sys.prefix):
        sys.exit(f"the tests would not run against the wheel but {where}")
    print("testing", where, pixpress.features())
    carried = where.parent / "pixpress.libs"
    names = {stem(path.name): path.name for path in carried.iterdir()}
    if not names.keys() >= CODECS:
        sys.exit(f"the wheel carries only {', '.join(names)}")
    # Other wheels have copies of their own, under names of their own.
    ours = {p for p in loaded_libraries() if p.parent == carried or p.parent.suffix != ".libs"}
    for library in names.keys() - WORKER_ONLY:
        origins = {path.parent for path in ours if stem(path.name) == library}
        if origins != {carried}:
            sys.exit(f"{library} is loaded from {origins or 'nowhere'}, not from the wheel")
    check_worker(where / "_worker", carried)
    licenses = [
        path.name
        for path in distribution("pixpress").files or []
        if "third_party" in path.parts and path.locate().stat().st_size > 0
    ]
    lacking = [name for library, name in names.items() if f"{library}.txt" not in licenses]
    if lacking:
        sys.exit(f"no license in the wheel: {', '.join(lacking)}")
    print(f"{len(names)} libraries from the wheel, with {len(licenses)} licenses")


if __name__ == "__main__":
    main()
