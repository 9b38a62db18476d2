#pragma once
// Rows to JPEG.

#include "codecs/codec.h"

namespace pixpress {

// From this effort on bits are spent where they are seen most, by our own encoder.
inline constexpr int kJpegTrellisEffort = 4;
// From this effort on DC levels of progressive files are chosen too.
inline constexpr int kJpegDcTrellisEffort = 7;
bool WantsJpegTrellis(const EncodeOptions& options);

ImageLayout JpegAcceptedLayout(const ImageLayout& from, const EncodeOptions& options);
uint64_t JpegEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options);
bool WantsProgressiveJpeg(const EncodeOptions& options);
// An upper bound of the encoded image.
uint64_t JpegOutputBytes(const ImageLayout& layout, const EncodeOptions& options);
Status EncodeJpeg(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                  const WorkContext& context, ByteChain* out);

}  // namespace pixpress
