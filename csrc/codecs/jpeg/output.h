#pragma once
// Where libjpeg writes to: a ByteChain.

#include "codecs/jpeg/error.h"
#include "memory/byte_chain.h"

namespace pixpress {

// Set as cinfo.dest; outlives the compressor.
struct JpegOutput {
  jpeg_destination_mgr library;  // First: libjpeg hands back a pointer to it.
  ByteChain* chain = nullptr;    // Not owned.
  size_t reserved_bytes = 0;

  jpeg_destination_mgr* Install(ByteChain* out);
};

}  // namespace pixpress
