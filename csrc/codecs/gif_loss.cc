#include "codecs/gif_loss.h"

#include "kernels/palette_color.h"

namespace pixpress {
namespace {

// From this quality on colors are kept.
constexpr int kExactQuality = 80;
// The largest error of quality 1 is that of gray levels which differ by half of this.
constexpr int kMostGrayError = 79;

GifColorError Scaled(uint32_t color) {
  GifColorError scaled;
  for (size_t c = 0; c < 3; ++c) {
    scaled[c] = static_cast<int16_t>(static_cast<int>(color >> 8 * c & 255) * kPaletteScale[c]);
  }
  return scaled;
}

int32_t SquaredNorm(const GifColorError& error) {
  int32_t sum = 0;
  for (const int16_t value : error) sum += value * value;
  return sum;
}

}  // namespace

GifLoss::GifLoss(const EncodeOptions& options) {
  if (options.lossless || options.quality >= kExactQuality) return;
  const int twice = kMostGrayError * (kExactQuality - options.quality) / (kExactQuality - 1);
  const GifColorError unit = Scaled(0x00010101);
  most_ = SquaredNorm(unit) * twice * twice / 4;
}

bool GifLoss::Allows(uint32_t wanted, uint32_t shown) const {
  GifColorError difference = Scaled(wanted);
  const GifColorError other = Scaled(shown);
  for (size_t c = 0; c < 3; ++c) difference[c] = static_cast<int16_t>(difference[c] - other[c]);
  return SquaredNorm(difference) <= most_;
}

void GifLoss::SetPalette(std::span<const uint32_t> colors) {
  for (size_t i = 0; i < colors.size() && i < colors_.size(); ++i) colors_[i] = Scaled(colors[i]);
}

}  // namespace pixpress
