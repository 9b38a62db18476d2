#include "pipeline/content.h"

#include <cstring>

namespace pixpress {
namespace {

// Photographs have noise: few of their pixels are the same as the one on their left, unless an area
// is burnt out. One in four is a sign of a graphic; a photograph taken for one costs time only.
constexpr uint64_t kGraphicPart = 4;

class ContentReader {
 public:
  explicit ContentReader(const ImageLayout& layout)
      : width_(layout.width),
        pixel_bytes_(size_t{layout.planes[0].channels} * layout.bits / 8),
        alpha_bytes_(layout.has_alpha ? layout.bits / 8u : 0) {}

  void Read(const uint8_t* row) {
    for (size_t x = 1; x < width_; ++x) {
      const uint8_t* pixel = row + x * pixel_bytes_;
      same_ += std::memcmp(pixel, pixel - pixel_bytes_, pixel_bytes_) == 0;
    }
    pairs_ += width_ - 1;
    if (alpha_bytes_ == 0 || !is_opaque_) return;
    for (size_t x = 1; x <= width_; ++x) {
      for (size_t i = 1; i <= alpha_bytes_; ++i) is_opaque_ &= row[x * pixel_bytes_ - i] == 0xff;
    }
  }

  Content content() const { return {is_opaque_, same_ * kGraphicPart >= pairs_}; }

 private:
  const size_t width_;
  const size_t pixel_bytes_;
  const size_t alpha_bytes_;
  uint64_t same_ = 0;
  uint64_t pairs_ = 0;
  bool is_opaque_ = true;
};

}  // namespace

Result<Content> ReadContent(RowSource& rows) {
  ContentReader reader(rows.layout());
  for (uint32_t done = 0; done < rows.layout().height;) {
    Stripe stripe;
    PIXPRESS_RETURN_IF_ERROR(rows.Next(&stripe));
    const PlaneRows& plane = stripe.planes[0];
    for (uint32_t y = 0; y < plane.rows; ++y) reader.Read(plane.row(y));
    done += plane.rows;
  }
  return reader.content();
}

}  // namespace pixpress
