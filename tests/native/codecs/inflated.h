#pragma once
// What raw deflate streams hold, by a decoder that is not ours.

#include <libdeflate.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace pixpress {

using ByteVector = std::vector<uint8_t>;

// Empty where it is no stream of exactly `size` bytes.
inline ByteVector Inflated(const ByteVector& stream, size_t size) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  ByteVector data(size);
  const auto done = libdeflate_deflate_decompress(inflater.get(), stream.data(), stream.size(),
                                                  data.data(), size, nullptr);
  return done == LIBDEFLATE_SUCCESS ? data : ByteVector();
}

}  // namespace pixpress
