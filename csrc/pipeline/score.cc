#include "pipeline/score.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "kernels/convert.h"
#include "kernels/ssimulacra2.h"
#include "pipeline/step_convert.h"

namespace pixpress {
namespace {

// A tenth and nine tenths of white.
constexpr Rgba kDark = {26, 26, 26, 255};
constexpr Rgba kLight = {230, 230, 230, 255};
constexpr size_t kImages = 2;

// One row after the other of a one-plane source, 8-bit RGB or RGBA.
class RowReader {
 public:
  Status Open(std::unique_ptr<RowSource> source, bool has_alpha, const WorkContext& context) {
    const ImageLayout& own = source->layout();
    if (own.color == ColorModel::kRgb && own.has_alpha == has_alpha && own.bits == 8) {
      rows_ = std::move(source);
      return Status();
    }
    const ImageLayout rgb =
        ImageLayout::Interleaved(own.width, own.height, ColorModel::kRgb, has_alpha);
    PIXPRESS_ASSIGN_OR_RETURN(rows_, MakeConvertStep(std::move(source), rgb, kDark, context));
    return Status();
  }

  // Valid until the next call.
  Result<const uint8_t*> Next() {
    while (next_ == stripe_.planes[0].rows) {
      PIXPRESS_RETURN_IF_ERROR(rows_->Next(&stripe_));
      next_ = 0;
    }
    return stripe_.planes[0].row(next_++);
  }

 private:
  std::unique_ptr<RowSource> rows_;
  Stripe stripe_;
  uint32_t next_ = 0;
};

using Readers = std::array<RowReader, kImages>;

Result<double> ScoreOpaque(Readers& readers, uint32_t width, uint32_t height,
                           const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(Ssimulacra2 metric, Ssimulacra2::Create(width, height, context.meter));
  for (uint32_t y = 0; y < height; ++y) {
    PIXPRESS_ASSIGN_OR_RETURN(const uint8_t* reference, readers[0].Next());
    PIXPRESS_ASSIGN_OR_RETURN(const uint8_t* distorted, readers[1].Next());
    metric.PushRow(reference, distorted);
  }
  return metric.Score();
}

Result<double> ScoreTransparent(Readers& readers, uint32_t width, uint32_t height,
                                const WorkContext& context) {
  std::vector<Ssimulacra2> metrics;
  for (size_t i = 0; i < 2; ++i) {
    PIXPRESS_ASSIGN_OR_RETURN(Ssimulacra2 metric,
                              Ssimulacra2::Create(width, height, context.meter));
    metrics.push_back(std::move(metric));
  }
  std::array<Buffer, kImages> flat;
  for (Buffer& row : flat) {
    PIXPRESS_ASSIGN_OR_RETURN(row, context.meter.Allocate(size_t{width} * 3));
  }
  for (uint32_t y = 0; y < height; ++y) {
    std::array<const uint8_t*, kImages> rows;
    for (size_t i = 0; i < kImages; ++i) {
      PIXPRESS_ASSIGN_OR_RETURN(rows[i], readers[i].Next());
    }
    for (size_t m = 0; m < metrics.size(); ++m) {
      for (size_t i = 0; i < kImages; ++i) {
        FlattenRow(rows[i], 4, 8, m == 0 ? kDark : kLight, width, flat[i].data());
      }
      metrics[m].PushRow(flat[0].data(), flat[1].data());
    }
  }
  return std::min(metrics[0].Score(), metrics[1].Score());
}

}  // namespace

uint64_t ScoreMemoryBytes(uint32_t width, uint32_t height) {
  // Two metrics, rows over backgrounds, and conversions of both images: stripes and lines.
  return SaturatingAdd(2 * Ssimulacra2::MemoryBytes(width, height), uint64_t{width} * 400);
}

Result<double> ScoreRows(std::unique_ptr<RowSource> reference, std::unique_ptr<RowSource> distorted,
                         const WorkContext& context) {
  const uint32_t width = reference->layout().width;
  const uint32_t height = reference->layout().height;
  if (distorted->layout().width != width || distorted->layout().height != height) {
    return Status(StatusCode::kInternal, "scored images have other sizes");
  }
  const bool has_alpha = reference->layout().has_alpha || distorted->layout().has_alpha;
  Readers readers;
  PIXPRESS_RETURN_IF_ERROR(readers[0].Open(std::move(reference), has_alpha, context));
  PIXPRESS_RETURN_IF_ERROR(readers[1].Open(std::move(distorted), has_alpha, context));
  return has_alpha ? ScoreTransparent(readers, width, height, context)
                   : ScoreOpaque(readers, width, height, context);
}

}  // namespace pixpress
