#!/usr/bin/env bash
# build_codecs.sh PREFIX: build the pinned codec releases into PREFIX, for published wheels.
# Runs in the containers of cibuildwheel, which need a network; never part of `make test`.
# An archive whose SHA-256 is another one stops the build. The sums are those that several package
# collections publish for these archives.
set -euo pipefail
prefix="$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip3 install -q cmake ninja 2>/dev/null || python3 -m pip install -q cmake ninja
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"

# codec NAME URL SHA256 LICENSE [CMake arguments]
codec() {
  local name="$1" url="$2" sum="$3" license="$4"
  shift 4
  mkdir -p "$work/$name" "$prefix/licenses/$name"
  curl -fsSL --retry 3 -o "$work/$name.tar.gz" "$url"
  echo "$sum  $work/$name.tar.gz" | sha256sum -c -
  tar -xzf "$work/$name.tar.gz" -C "$work/$name" --strip-components=1
  cp "$work/$name/$license" "$prefix/licenses/$name/copyright"
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
# lcms2 (MIT) has no CMake build: the wheel's container brings its own (lcms2-devel).
codec highway "$github/google/highway/archive/refs/tags/1.2.0.tar.gz" \
  7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343 LICENSE \
  -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF

# SQLite has neither CMake files nor a license text: it is in the public domain.
mkdir -p "$work/sqlite" "$prefix/licenses/sqlite"
curl -fsSL --retry 3 -o "$work/sqlite.tar.gz" \
  https://www.sqlite.org/2024/sqlite-autoconf-3450100.tar.gz
echo "cd9c27841b7a5932c9897651e20b86c701dd740556989b01ca596fcfa3d49a0a  $work/sqlite.tar.gz" |
  sha256sum -c -
tar -xzf "$work/sqlite.tar.gz" -C "$work/sqlite" --strip-components=1
echo "SQLite is in the public domain: https://www.sqlite.org/copyright.html" \
  >"$prefix/licenses/sqlite/copyright"
(cd "$work/sqlite" && ./configure --prefix="$prefix" --libdir="$prefix/lib" --disable-static \
  --disable-readline && make install-libLTLIBRARIES install-includeHEADERS install-pkgconfigDATA)
