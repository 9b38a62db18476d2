#pragma once
// The image data of a PNG: filtered blocks of rows, deflated into one zlib stream in IDAT chunks.

#include "base/status.h"
#include "codecs/encode_options.h"
#include "codecs/png/filter.h"
#include "image/image.h"
#include "image/work_context.h"
#include "memory/byte_chain.h"

namespace pixpress {

// What WritePngData holds besides the image, the memory of libdeflate included, and an
// upper bound of what it appends.
uint64_t PngDataMemoryBytes(const PngRowFormat& format, uint32_t rows,
                            const EncodeOptions& options);

// Blocks of up to 512 KiB of rows are filtered, and deflated in one or two attempts each, spread
// over the threads that `context.parallel` lends; how rows are cut, and so the bytes, does not
// depend on how many there are. Polls the stop token per filter and piece.
Status WritePngData(const Image& image, const PngRowFormat& format, const EncodeOptions& options,
                    const WorkContext& context, ByteChain* out);
// The zlib stream alone, without chunks around it.
Status WritePngStream(const Image& image, const PngRowFormat& format, const EncodeOptions& options,
                      const WorkContext& context, ByteChain* out);

}  // namespace pixpress
