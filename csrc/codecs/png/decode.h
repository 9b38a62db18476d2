#pragma once
// PNG to rows through libpng's row interface.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

ImageLayout PngDecodedLayout(const ImageInfo& info, const DecodeOptions& options);
uint64_t PngDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options);
Result<std::unique_ptr<RowSource>> DecodePng(Bytes encoded, const ImageInfo& info,
                                             const DecodeOptions& options, const Limits& limits,
                                             const WorkContext& context);

// The bytes of a PNG file, in their order, wherever they lie.
class PngInput {
 public:
  virtual ~PngInput() = default;
  // The next `count` bytes. False if there are fewer.
  virtual bool Read(uint8_t* out, size_t count) = 0;
  // Has somebody compared all checksums? Those of the chunks may be wrong then.
  virtual bool has_checked_data() const { return false; }
};
// As DecodePng; `info` is that of this very input.
Result<std::unique_ptr<RowSource>> DecodePngInput(std::unique_ptr<PngInput> input,
                                                  const ImageInfo& info, const Limits& limits,
                                                  const WorkContext& context);

}  // namespace pixpress
