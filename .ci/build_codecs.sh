#!/usr/bin/env bash
# build_codecs.sh PREFIX: build the pinned codec releases into PREFIX, for published wheels.
# Runs in the containers of cibuildwheel, which need a network; never part of `make test`.
# An archive whose SHA-256 is another one stops the build. The sums are those that several package
# collections publish for these archives.
set -euo pipefail
prefix="$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip3 install -q cmake ninja meson 2>/dev/null || python3 -m pip install -q cmake ninja meson
# The assembly of aom and dav1d for x86 wants NASM 2.14.
if [ "$(uname -m)" = x86_64 ]; then
  if command -v apk >/dev/null; then apk add -q nasm; else dnf install -q -y nasm; fi
fi
# libseccomp (LGPL 2.1) has no CMake build: the container brings its own, with its license or not.
if command -v apk >/dev/null; then apk add -q libseccomp-dev; else dnf install -q -y libseccomp-devel; fi
mkdir -p "$prefix/licenses/libseccomp"
cat /usr/share/licenses/libseccomp/LICENSE >"$prefix/licenses/libseccomp/copyright" 2>/dev/null ||
  curl -fsSL --retry 3 -o "$prefix/licenses/libseccomp/copyright" \
    https://raw.githubusercontent.com/seccomp/libseccomp/v2.5.4/LICENSE
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"

# fetch NAME URL SHA256 [LICENSE...]: unpack into $work/NAME, and collect its license texts
fetch() {
  local name="$1" url="$2" sum="$3" archive
  shift 3
  archive="$work/${url##*/}"
  mkdir -p "$work/$name" "$prefix/licenses/$name"
  curl -fsSL --retry 3 -o "$archive" "$url"
  echo "$sum  $archive" | sha256sum -c -
  tar -xf "$archive" -C "$work/$name" --strip-components=1
  for license; do cat "$work/$name/$license"; done >"$prefix/licenses/$name/copyright"
}

# codec NAME URL SHA256 LICENSE [CMake arguments]
codec() {
  local name="$1"
  fetch "${@:1:4}"
  shift 4
  cmake -S "$work/$name" -B "$work/$name/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_PREFIX_PATH="$prefix" \
    -DBUILD_SHARED_LIBS=ON "$@"
  cmake --build "$work/$name/build" --target install
}

github=https://github.com
codec zlib "$github/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz" \
  9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23 LICENSE
codec libdeflate "$github/ebiggers/libdeflate/archive/refs/tags/v1.22.tar.gz" \
  7f343c7bf2ba46e774d8a632bf073235e1fd27723ef0a12a90f8947b7fe851d6 COPYING \
  -DLIBDEFLATE_BUILD_GZIP=OFF
codec libpng "$github/pnggroup/libpng/archive/refs/tags/v1.6.44.tar.gz" \
  0ef5b633d0c65f780c4fced27ff832998e71478c13b45dfb6e94f23a82f64f7c LICENSE \
  -DPNG_TESTS=OFF -DPNG_TOOLS=OFF
codec libjpeg-turbo \
  "$github/libjpeg-turbo/libjpeg-turbo/releases/download/3.0.4/libjpeg-turbo-3.0.4.tar.gz" \
  99130559e7d62e8d695f2c0eaeef912c5828d5b84a0537dcb24c9678c9d5b76b LICENSE.md \
  -DENABLE_STATIC=OFF -DWITH_TURBOJPEG=OFF
webp=https://storage.googleapis.com/downloads.webmproject.org/releases/webp
codec libwebp "$webp/libwebp-1.4.0.tar.gz" \
  61f873ec69e3be1b99535634340d5bde750b2e4447caa1db9f61be3fd49ab1e5 COPYING \
  -DWEBP_BUILD_ANIM_UTILS=OFF -DWEBP_BUILD_CWEBP=OFF -DWEBP_BUILD_DWEBP=OFF \
  -DWEBP_BUILD_GIF2WEBP=OFF -DWEBP_BUILD_IMG2WEBP=OFF -DWEBP_BUILD_VWEBP=OFF \
  -DWEBP_BUILD_WEBPINFO=OFF -DWEBP_BUILD_WEBPMUX=OFF -DWEBP_BUILD_EXTRAS=OFF
codec highway "$github/google/highway/archive/refs/tags/1.2.0.tar.gz" \
  7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343 LICENSE \
  -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF

codec aom https://storage.googleapis.com/aom-releases/libaom-3.9.1.tar.gz \
  dba99fc1c28aaade28dda59821166b2fa91c06162d1bc99fde0ddaad7cecc50e LICENSE \
  -DENABLE_DOCS=OFF -DENABLE_EXAMPLES=OFF -DENABLE_TESTS=OFF -DENABLE_TOOLS=OFF
cat "$work/aom/PATENTS" >>"$prefix/licenses/aom/copyright"

fetch dav1d https://downloads.videolan.org/pub/videolan/dav1d/1.5.0/dav1d-1.5.0.tar.xz \
  14bd6f5157808ed9aedcafbe50df689d304fd4810ac20be6eec1ab037436afd6 COPYING
meson setup "$work/dav1d/build" "$work/dav1d" --prefix "$prefix" --libdir lib \
  --buildtype release -Denable_tools=false -Denable_tests=false
meson install -C "$work/dav1d/build"

codec libavif "$github/AOMediaCodec/libavif/archive/refs/tags/v1.1.1.tar.gz" \
  914662e16245e062ed73f90112fbb4548241300843a7772d8d441bb6859de45b LICENSE \
  -DAVIF_CODEC_AOM=SYSTEM -DAVIF_CODEC_DAV1D=SYSTEM -DAVIF_LIBYUV=OFF -DAVIF_BUILD_APPS=OFF

fetch lcms2 "$github/mm2/Little-CMS/releases/download/lcms2.16/lcms2-2.16.tar.gz" \
  d873d34ad8b9b4cea010631f1a6228d2087475e4dc5e763eb81acc23d9d45a51
# Named one or the other in its releases.
find "$work/lcms2" -maxdepth 1 \( -name LICENSE -o -name COPYING \) -exec cat {} + \
  >"$prefix/licenses/lcms2/copyright"
grep -q Permission "$prefix/licenses/lcms2/copyright"
(cd "$work/lcms2" && ./configure --prefix="$prefix" --libdir="$prefix/lib" --disable-static \
  --without-jpeg --without-tiff && make install)

# SQLite has neither CMake files nor a license text: it is in the public domain.
fetch sqlite https://www.sqlite.org/2024/sqlite-autoconf-3450100.tar.gz \
  cd9c27841b7a5932c9897651e20b86c701dd740556989b01ca596fcfa3d49a0a
echo "SQLite is in the public domain: https://www.sqlite.org/copyright.html" \
  >"$prefix/licenses/sqlite/copyright"
(cd "$work/sqlite" && ./configure --prefix="$prefix" --libdir="$prefix/lib" --disable-static \
  --disable-readline && make install-libLTLIBRARIES install-includeHEADERS install-pkgconfigDATA)
