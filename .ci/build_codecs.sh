#!/usr/bin/env bash
# build_codecs.sh PREFIX: build the pinned codec releases into PREFIX, for published wheels.
# Runs in the containers of cibuildwheel, which need a network; never part of `make test`.
# Prints the SHA-256 of every archive, so that a change under a fixed version is seen.
set -euo pipefail
prefix="$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip3 install -q cmake ninja 2>/dev/null || python3 -m pip install -q cmake ninja
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"

# codec NAME URL LICENSE [CMake arguments]
codec() {
  local name="$1" url="$2" license="$3"
  shift 3
  mkdir -p "$work/$name" "$prefix/licenses/$name"
  curl -fsSL --retry 3 -o "$work/$name.tar.gz" "$url"
  sha256sum "$work/$name.tar.gz"
  tar -xzf "$work/$name.tar.gz" -C "$work/$name" --strip-components=1
  cp "$work/$name/$license" "$prefix/licenses/$name/copyright"
  cmake -S "$work/$name" -B "$work/$name/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_PREFIX_PATH="$prefix" \
    -DBUILD_SHARED_LIBS=ON "$@"
  cmake --build "$work/$name/build" --target install
}

github=https://github.com
codec zlib "$github/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz" LICENSE
codec libdeflate "$github/ebiggers/libdeflate/releases/download/v1.22/libdeflate-1.22.tar.gz" \
  COPYING -DLIBDEFLATE_BUILD_GZIP=OFF
codec libpng "$github/pnggroup/libpng/archive/refs/tags/v1.6.44.tar.gz" LICENSE \
  -DPNG_TESTS=OFF -DPNG_TOOLS=OFF
codec libjpeg-turbo \
  "$github/libjpeg-turbo/libjpeg-turbo/releases/download/3.0.4/libjpeg-turbo-3.0.4.tar.gz" \
  LICENSE.md -DENABLE_STATIC=OFF -DWITH_TURBOJPEG=OFF
codec libwebp "$github/webmproject/libwebp/archive/refs/tags/v1.4.0.tar.gz" COPYING \
  -DWEBP_BUILD_ANIM_UTILS=OFF -DWEBP_BUILD_CWEBP=OFF -DWEBP_BUILD_DWEBP=OFF \
  -DWEBP_BUILD_GIF2WEBP=OFF -DWEBP_BUILD_IMG2WEBP=OFF -DWEBP_BUILD_VWEBP=OFF \
  -DWEBP_BUILD_WEBPINFO=OFF -DWEBP_BUILD_WEBPMUX=OFF -DWEBP_BUILD_EXTRAS=OFF
codec highway "$github/google/highway/archive/refs/tags/1.2.0.tar.gz" LICENSE \
  -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF
