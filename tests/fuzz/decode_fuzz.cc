// One decoder; PIXPRESS_FUZZ_FORMAT says which.

#include "codec_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pixpress::FuzzCodec(pixpress::Format::PIXPRESS_FUZZ_FORMAT, pixpress::Bytes(data, size));
  return 0;
}
