#pragma once
// A whole image in memory, and the two ways between it and a stream of rows.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/pixel_format.h"
#include "image/row_source.h"
#include "image/work_context.h"
#include "memory/buffer.h"

namespace pixpress {

// Owns its pixels. Move-only, so that nobody copies megabytes by accident.
class Image {
 public:
  Image() = default;
  static Result<Image> Create(ImageLayout layout, Meter& meter);

  const ImageLayout& layout() const { return layout_; }
  ImageLayout& mutable_layout() { return layout_; }  // To set the palette.
  size_t stride_bytes(size_t plane) const { return stride_bytes_[plane]; }
  uint8_t* row(size_t plane, uint32_t y) { return data_[plane] + y * stride_bytes_[plane]; }
  const uint8_t* row(size_t plane, uint32_t y) const {
    return data_[plane] + y * stride_bytes_[plane];
  }

  // What Create charges, for plans.
  static uint64_t MemoryBytes(const ImageLayout& layout);

 private:
  ImageLayout layout_;
  Buffer buffer_;
  std::array<uint8_t*, 3> data_ = {};
  std::array<size_t, 3> stride_bytes_ = {};
};

// Pull every row out of `source` into a new image.
Result<Image> CollectRows(RowSource& source, const WorkContext& context);

// Yield the rows of an image that it owns.
std::unique_ptr<RowSource> MakeImageSource(Image image, const StopToken& stop);

// Yield the rows of a borrowed image, which outlives the source.
std::unique_ptr<RowSource> MakeImageView(const Image& image, const StopToken& stop);

// Yield the rows of borrowed one-plane pixels (a numpy array); `pixels` outlives the source.
std::unique_ptr<RowSource> MakeBorrowedSource(ImageLayout layout, const uint8_t* pixels,
                                              size_t stride_bytes, const StopToken& stop);

}  // namespace pixpress
