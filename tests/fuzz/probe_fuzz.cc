// The header of any format, whole and cut off as a job sees it first.

#include <algorithm>
#include <cstdlib>

#include "codec_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pixpress;
  const Bytes bytes(data, size);
  const auto codec = IdentifyCodec(bytes);
  if (!codec.ok()) return 0;
  for (const size_t head_bytes : {size, size / 2, std::min<size_t>(size, 64)}) {
    const auto info = codec.value()->probe(bytes.first(head_bytes), size, FuzzLimits());
    if (!info.ok()) continue;
    if (info.value().needs_more_input) {
      if (head_bytes == size) std::abort();
      continue;
    }
    const uint64_t pixels = uint64_t{info.value().width} * info.value().height;
    if (pixels == 0 || pixels > FuzzLimits().max_pixels) std::abort();
    if (info.value().orientation < 1 || info.value().orientation > 8) std::abort();
  }
  return 0;
}
