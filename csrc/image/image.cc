#include "image/image.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"

namespace pixpress {
namespace {

// Rows begin on cache lines.
constexpr size_t kRowAlignment = 64;
// Rows that a source in memory gives at a time: few enough to poll often, enough to amortize it.
constexpr uint32_t kStripeRows = 64;

uint64_t PlaneBytes(const ImageLayout& layout, size_t plane) {
  return SaturatingMul(RoundUpTo<uint64_t>(layout.row_bytes(plane), kRowAlignment),
                       layout.planes[plane].height);
}

class ImageSource final : public RowSource {
 public:
  ImageSource(Image image, const StopToken& stop)
      : owned_(std::move(image)), image_(owned_), stop_(stop) {}
  ImageSource(const Image* image, const StopToken& stop) : image_(*image), stop_(stop) {}

  const ImageLayout& layout() const override { return image_.layout(); }

  Status Next(Stripe* stripe) override {
    PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
    *stripe = Stripe();
    // Planes advance together, so that nobody has to hold rows of one while waiting for another.
    given_rows_ += std::min(kStripeRows, layout().height - given_rows_);
    for (size_t p = 0; p < layout().plane_count; ++p) {
      const uint32_t end = static_cast<uint32_t>(DivideRoundingUp<uint64_t>(
          uint64_t{layout().planes[p].height} * given_rows_, layout().height));
      const uint32_t rows = end - next_row_[p];
      if (rows == 0) continue;
      stripe->planes[p] = {image_.row(p, next_row_[p]), image_.stride_bytes(p), next_row_[p], rows};
      next_row_[p] = end;
    }
    return Status();
  }

 private:
  const Image owned_;  // Empty if the image is borrowed.
  const Image& image_;
  const StopToken stop_;
  uint32_t given_rows_ = 0;  // Of the whole image.
  std::array<uint32_t, 3> next_row_ = {};
};

class BorrowedSource final : public RowSource {
 public:
  BorrowedSource(ImageLayout layout, const uint8_t* pixels, size_t stride_bytes,
                 const StopToken& stop)
      : layout_(std::move(layout)), pixels_(pixels), stride_bytes_(stride_bytes), stop_(stop) {}

  const ImageLayout& layout() const override { return layout_; }

  Status Next(Stripe* stripe) override {
    PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
    *stripe = Stripe();
    const uint32_t rows = std::min(kStripeRows, layout_.height - next_row_);
    stripe->planes[0] = {pixels_ + next_row_ * stride_bytes_, stride_bytes_, next_row_, rows};
    next_row_ += rows;
    return Status();
  }

 private:
  const ImageLayout layout_;
  const uint8_t* const pixels_;
  const size_t stride_bytes_;
  const StopToken stop_;
  uint32_t next_row_ = 0;
};

}  // namespace

uint64_t Image::MemoryBytes(const ImageLayout& layout) {
  uint64_t bytes = 0;
  for (size_t p = 0; p < layout.plane_count; ++p) {
    bytes = SaturatingAdd(bytes, PlaneBytes(layout, p));
  }
  // Buffers are rounded up to a size class: a quarter step of a power of two at most.
  return SaturatingAdd(bytes, bytes / 4 + 4096);
}

Result<Image> Image::Create(ImageLayout layout, Meter& meter) {
  Image image;
  uint64_t bytes = 0;
  for (size_t p = 0; p < layout.plane_count; ++p) {
    bytes = SaturatingAdd(bytes, PlaneBytes(layout, p));
  }
  PIXPRESS_ASSIGN_OR_RETURN(image.buffer_, meter.Allocate(bytes));
  uint8_t* next = image.buffer_.data();
  for (size_t p = 0; p < layout.plane_count; ++p) {
    image.data_[p] = next;
    image.stride_bytes_[p] = RoundUpTo<size_t>(layout.row_bytes(p), kRowAlignment);
    next += PlaneBytes(layout, p);
  }
  image.layout_ = std::move(layout);
  return image;
}

Result<Image> CollectRows(RowSource& source, const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(Image image, Image::Create(source.layout(), context.meter));
  const ImageLayout& layout = image.layout();
  uint64_t missing_rows = 0;
  for (size_t p = 0; p < layout.plane_count; ++p) missing_rows += layout.planes[p].height;
  while (missing_rows > 0) {
    Stripe stripe;
    PIXPRESS_RETURN_IF_ERROR(source.Next(&stripe));
    for (size_t p = 0; p < layout.plane_count; ++p) {
      const PlaneRows& rows = stripe.planes[p];
      for (uint32_t y = 0; y < rows.rows; ++y) {
        std::memcpy(image.row(p, rows.first_row + y), rows.row(y), layout.row_bytes(p));
      }
      missing_rows -= rows.rows;
    }
  }
  return image;
}

std::unique_ptr<RowSource> MakeImageSource(Image image, const StopToken& stop) {
  return std::make_unique<ImageSource>(std::move(image), stop);
}

std::unique_ptr<RowSource> MakeImageView(const Image& image, const StopToken& stop) {
  return std::make_unique<ImageSource>(&image, stop);
}

std::unique_ptr<RowSource> MakeBorrowedSource(ImageLayout layout, const uint8_t* pixels,
                                              size_t stride_bytes, const StopToken& stop) {
  return std::make_unique<BorrowedSource>(std::move(layout), pixels, stride_bytes, stop);
}

}  // namespace pixpress
