#pragma once
// Palette indices to a still GIF.

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

// Indexed of 8 bits, whatever comes. Palette entries with an alpha of less than 128 are all the one
// transparent color.
ImageLayout GifAcceptedLayout(const ImageLayout& from, const EncodeOptions& options);
uint64_t GifEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options);
Status EncodeGif(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                 const WorkContext& context, ByteChain* out);

}  // namespace pixpress
