#pragma once
// The image data of a PNG in memory, inflated at once: libdeflate takes half of zlib's time.

#include <memory>

#include "base/status.h"
#include "codecs/codec.h"
#include "codecs/png/decode.h"

namespace pixpress {

// Bytes for MakeInflatedPngInput() of an image of `info`; 0: it is not for this image.
uint64_t InflatedPngMemoryBytes(const ImageInfo& info);

// The chunks of `encoded`, with image data that is stored and not deflated, for libpng to unfilter.
// Null where that is not for this image or anything about its data is not as it should be: then
// libpng reads the file as it is, and says what is wrong. Holds references into `encoded`.
Result<std::unique_ptr<PngInput>> MakeInflatedPngInput(Bytes encoded, const ImageInfo& info,
                                                       const WorkContext& context);

}  // namespace pixpress
