"""Put the licenses of the libraries that a repaired wheel carries into that wheel.

``add_licenses.py FOLDER LICENSES`` changes every wheel in FOLDER. LICENSES holds a folder per
package with a file ``copyright``, as /usr/share/doc does on Debian.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

# The start of a library's file name, and the packages that may have its license.
PACKAGES = {
    "libjpeg": ("libjpeg62-turbo", "libjpeg-turbo"),
    "libpng16": ("libpng16-16", "libpng"),
    "libdeflate": ("libdeflate0", "libdeflate"),
    "libz": ("zlib1g", "zlib"),
    "libwebp": ("libwebp7", "libwebp"),
    "libwebpmux": ("libwebpmux3", "libwebp"),
    "libwebpdemux": ("libwebpdemux2", "libwebp"),
    "libsharpyuv": ("libsharpyuv0", "libwebp"),
    "libhwy": ("libhwy1", "highway"),
    "libsqlite3": ("libsqlite3-0", "sqlite"),
    "libseccomp": ("libseccomp2", "libseccomp"),
}


def owners(library: str) -> list[str]:
    """Return the Debian packages that have a library, by its file name in the wheel."""
    if shutil.which("dpkg") is None:
        return []
    original = re.sub(r"-[0-9a-f]{8}\.so", ".so", library)  # auditwheel puts a hash into names.
    found = subprocess.run(["dpkg", "-S", f"*/{original}"], capture_output=True, text=True).stdout
    return sorted({line.split(":")[0] for line in found.splitlines()})


def license_of(library: str, licenses: Path) -> bytes:
    """Return the license text of a library, by its file name in the wheel."""
    stem = re.split(r"[-.]", library)[0]
    for package in (*PACKAGES.get(stem, (stem,)), *owners(library)):
        path = licenses / package / "copyright"
        if path.exists():
            return path.read_bytes()
    sys.exit(f"no license of {library} in {licenses}")


def record_line(name: str, data: bytes) -> str:
    """Return the line of RECORD for a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def add_licenses(wheel: Path, licenses: Path) -> list[str]:
    """Rewrite a wheel with the licenses of the libraries in it; return their names."""
    with zipfile.ZipFile(wheel) as old:
        names = old.namelist()
        carried = sorted(name.split("/")[1] for name in names if re.search(r"\.libs/.", name))
        record = next(name for name in names if name.endswith(".dist-info/RECORD"))
        folder = record.removesuffix("RECORD") + "licenses/third_party/"
        added = {
            f"{folder}{library.split('.so')[0].split('-')[0]}.txt": license_of(library, licenses)
            for library in carried
        }
        lines = old.read(record).decode() + "".join(map(record_line, added, added.values()))
        fresh = wheel.with_suffix(".tmp")
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as new:
            for item in old.infolist():
                if item.filename != record:
                    new.writestr(item, old.read(item.filename))
            for name, data in added.items():
                new.writestr(name, data)
            new.writestr(record, lines)
    fresh.replace(wheel)
    return carried


def main() -> None:
    """Add licenses to every wheel of a folder."""
    folder, licenses = map(Path, sys.argv[1:])
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        sys.exit(f"no wheel in {folder}")
    for wheel in wheels:
        print(f"{wheel.name}: licenses of {', '.join(add_licenses(wheel, licenses))}")


if __name__ == "__main__":
    main()
