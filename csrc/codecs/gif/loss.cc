#include "codecs/gif/loss.h"

#include <algorithm>

namespace pixpress {
namespace {

// From this quality on colors are kept.
constexpr int kExactQuality = 80;
// The largest error of quality 1 is that of gray levels which differ by half of this.
constexpr int kMostGrayError = 79;
// Strings begin with colors within this part of the largest squared error: others seldom pay, and
// take time to try.
constexpr int kNearPart = 16;

}  // namespace

GifLoss::GifLoss(const EncodeOptions& options) {
  if (options.lossless || options.quality >= kExactQuality) return;
  const int twice = kMostGrayError * (kExactQuality - options.quality) / (kExactQuality - 1);
  const int32_t unit =
      SquaredDistance(ToPaletteColor({1, 1, 1, 255}), ToPaletteColor({0, 0, 0, 255}));
  most_ = unit * twice * twice / 4;
  cost_ = most_ == 0 ? 0 : (int64_t{kPixelWorth} << kCostBits) / most_;
}

void GifLoss::SetPalette(std::span<const uint32_t> colors) {
  if (is_none() || std::ranges::equal(colors, palette_)) return;
  palette_.assign(colors.begin(), colors.end());
  const size_t count = std::min(colors.size(), colors_.size());
  for (size_t i = 0; i < count; ++i) colors_[i] = ToPaletteColor(UnpackColor(colors[i]));
  near_.clear();
  may_show_.assign(colors_.size() << 8, 0);
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < count; ++k) {
      const int32_t distance = SquaredDistance(colors_[i], colors_[k]);
      may_show_[i << 8 | k] = distance <= most_ ? 1 : 0;
      if (distance <= most_ / kNearPart) near_.push_back(static_cast<uint8_t>(k));
    }
    near_ends_[i + 1] = near_.size();
  }
}

}  // namespace pixpress
