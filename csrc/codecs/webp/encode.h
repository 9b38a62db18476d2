#pragma once
// Rows to WebP, lossy or lossless; YCbCr planes go in as they are.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/status.h"
#include "codecs/codec.h"
#include "image/image.h"

namespace pixpress {

ImageLayout WebpAcceptedLayout(const ImageLayout& from, const EncodeOptions& options);
uint64_t WebpEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options);
Status EncodeWebp(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                  const WorkContext& context, ByteChain* out);

// A WebP file without metadata, in memory of libwebp.
class WebpBytes {
 public:
  WebpBytes() = default;
  WebpBytes(WebpBytes&& other) noexcept { *this = std::move(other); }
  WebpBytes& operator=(WebpBytes&& other) noexcept;
  ~WebpBytes();
  // Takes over what libwebp has allocated.
  void Adopt(uint8_t* data, size_t size);
  Bytes bytes() const { return {data_, size_}; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};
// `image` is of a layout that WebpAcceptedLayout gives. The frames of an animation are not worth
// the widest search that a still graphic gets from effort 8 on.
Status EncodeWebpImage(Image image, bool is_still, const EncodeOptions& options,
                       const WorkContext& context, WebpBytes* out);

}  // namespace pixpress
