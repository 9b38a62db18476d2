#include "codecs/gif_loss.h"

namespace pixpress {
namespace {

// From this quality on colors are kept.
constexpr int kExactQuality = 80;
// The largest error of quality 1 is that of gray levels which differ by half of this.
constexpr int kMostGrayError = 79;

}  // namespace

GifLoss::GifLoss(const EncodeOptions& options) {
  if (options.lossless || options.quality >= kExactQuality) return;
  const int twice = kMostGrayError * (kExactQuality - options.quality) / (kExactQuality - 1);
  const int32_t unit =
      SquaredDistance(ToPaletteColor({1, 1, 1, 255}), ToPaletteColor({0, 0, 0, 255}));
  most_ = unit * twice * twice / 4;
}

bool GifLoss::Allows(uint32_t wanted, uint32_t shown) const {
  return SquaredDistance(ToPaletteColor(UnpackColor(wanted)), ToPaletteColor(UnpackColor(shown))) <=
         most_;
}

void GifLoss::SetPalette(std::span<const uint32_t> colors) {
  for (size_t i = 0; i < colors.size() && i < colors_.size(); ++i) {
    colors_[i] = ToPaletteColor(UnpackColor(colors[i]));
  }
}

}  // namespace pixpress
