#include "codecs/gif/frame_pixels.h"

#include <algorithm>
#include <utility>

#include "base/checked_math.h"
#include "kernels/palette.h"

namespace pixpress {
namespace {

// Calls `pixel(before, after, i)` for every pixel of the place; i counts them.
template <typename Pixel>
void ForEachPixel(const GifFramePlan& plan, Pixel pixel) {
  size_t i = 0;
  for (uint32_t y = plan.place.y; y < plan.place.y + plan.place.height; ++y) {
    const uint32_t* before = plan.before.row(y) + plan.place.x;
    const uint32_t* after = plan.after.row(y) + plan.place.x;
    for (uint32_t x = 0; x < plan.place.width; ++x) pixel(before[x], after[x], i++);
  }
}

uint32_t GifColorOf(const Rgba& color) {
  const uint8_t rgba[] = {color.r, color.g, color.b, color.a};
  return GifColor(rgba);
}

uint32_t NearestOpaque(uint32_t color, const std::vector<Rgba>& palette) {
  uint32_t nearest = 0xFF000000;
  int least = INT32_MAX;
  for (const Rgba& entry : palette) {
    if (entry.a < kGifOpaque) continue;
    const int r = entry.r - static_cast<int>(color & 255);
    const int g = entry.g - static_cast<int>(color >> 8 & 255);
    const int b = entry.b - static_cast<int>(color >> 16 & 255);
    const int distance = 2 * r * r + 4 * g * g + b * b;
    if (distance >= least) continue;
    least = distance;
    nearest = GifColorOf(entry);
  }
  return nearest;
}

// Numbers colors as they come; neighbors are often equal.
class Numbering {
 public:
  explicit Numbering(GifPalette* palette) : palette_(palette) {}
  // -1 if the palette is full.
  int operator()(uint32_t color) {
    if (color != last_color_) {
      last_color_ = color;
      last_ = palette_->Find(color);
      if (last_ < 0) last_ = palette_->FindOrAdd(color);
    }
    return last_;
  }

 private:
  GifPalette* const palette_;
  uint32_t last_color_ = 0;  // None: transparent pixels have no number.
  int last_ = -1;
};

}  // namespace

Result<GifFramePixels> GifFramePixels::Create(uint32_t width, uint32_t height,
                                              const EncodeOptions& options,
                                              const WorkContext& context) {
  GifFramePixels made(options, context);
  const size_t pixels = size_t{width} * height;
  PIXPRESS_ASSIGN_OR_RETURN(made.numbers_, context.meter.Allocate(pixels * 4));
  PIXPRESS_ASSIGN_OR_RETURN(made.indices_, context.meter.Allocate(pixels));
  PIXPRESS_ASSIGN_OR_RETURN(made.free_, context.meter.Allocate(pixels));
  return made;
}

uint64_t GifFramePixels::MemoryBytes(uint32_t width, uint32_t height) {
  const uint64_t buffers = SaturatingMul(SaturatingMul(width, height), 6);
  // A quarter: what buffers are rounded up by.
  return SaturatingAdd(SaturatingAdd(buffers, buffers / 4), PaletteMemoryBytes(width, height));
}

// False if the changed pixels have too many colors for any palette.
bool GifFramePixels::Number(const GifFramePlan& plan) {
  uint16_t* numbers = numbers_.as<uint16_t>();
  GifPalette still_colors;
  std::array<uint64_t, GifPalette::kMostColors> still_px = {};
  Numbering number(&colors_);
  Numbering number_still(&still_colors);
  bool fits = true;
  ForEachPixel(plan, [&](uint32_t before, uint32_t after, size_t i) {
    if (before != after) {
      const int found = number(after);
      fits = fits && found >= 0;
      numbers[i] = static_cast<uint16_t>(found & 255);
      return;
    }
    const int found = after == 0 ? -1 : number_still(after);
    numbers[i] = static_cast<uint16_t>(found >= 0 ? found | kStill : kHidden);
    ++(found >= 0 ? still_px[static_cast<size_t>(found)] : hidden_px_);
  });
  drawn_count_ = colors_.size();
  still_px_ = hidden_px_;
  for (size_t i = 0; i < still_colors.size(); ++i) {
    still_px_ += still_px[i];
    still_numbers_[i] = static_cast<int16_t>(colors_.FindOrAdd(still_colors.colors()[i]));
    if (still_numbers_[i] < 0) hidden_px_ += still_px[i];
  }
  still_count_ = still_colors.size();
  return fits;
}

Status GifFramePixels::Take(const GifFramePlan& plan) {
  pixels_ = plan.area();
  colors_.Clear();
  hidden_px_ = 0;
  must_draw_all_ = false;
  // Readers clear to transparent only where the frame names a transparent color.
  const bool is_cleared = plan.disposal == GifDisposal::kBackground;
  if (Number(plan)) {
    const bool needs_transparent = still_px_ > 0 || is_cleared;
    if (drawn_count_ + (needs_transparent ? 1 : 0) <= options_.colors) return Status();
    must_draw_all_ = !is_cleared && hidden_px_ == 0 && colors_.size() <= options_.colors;
    if (must_draw_all_) return Status();
  }
  return Quantize(plan);
}

Status GifFramePixels::Quantize(const GifFramePlan& plan) {
  uint8_t* rgba = numbers_.data();
  ForEachPixel(plan, [&](uint32_t before, uint32_t after, size_t i) {
    const uint32_t color = before == after ? 0 : after;
    for (size_t c = 0; c < 4; ++c) rgba[i * 4 + c] = static_cast<uint8_t>(color >> 8 * c);
  });
  const PixelView view{rgba, size_t{plan.place.width} * 4, plan.place.width, plan.place.height, 4};
  PaletteOptions options;
  // Skipped pixels count as a color; without any, the transparent one still needs its place.
  options.max_colors = std::max(2u, options_.colors - (still_px_ > 0 ? 0 : 1));
  options.dither = options_.dither;
  options.effort = options_.effort;
  options.lossless = options_.lossless;
  PIXPRESS_ASSIGN_OR_RETURN(const std::vector<Rgba> palette,
                            ChoosePalette(view, options, *context_));
  PIXPRESS_RETURN_IF_ERROR(
      MapToPalette(view, palette, options, *context_, indices_.data(), plan.place.width));
  NumberQuantized(plan, palette);
  return Status();
}

// Turns `indices_` of `palette` to numbers.
void GifFramePixels::NumberQuantized(const GifFramePlan& plan, const std::vector<Rgba>& palette) {
  uint16_t* numbers = numbers_.as<uint16_t>();
  const uint8_t* indices = indices_.data();
  colors_.Clear();
  still_count_ = 0;
  Numbering number(&colors_);
  ForEachPixel(plan, [&](uint32_t before, uint32_t after, size_t i) {
    if (before == after) {
      numbers[i] = kHidden;
      return;
    }
    const uint32_t color = GifColorOf(palette[indices[i]]);
    numbers[i] =
        static_cast<uint16_t>(number(color != 0 ? color : NearestOpaque(after, palette)) & 255);
  });
  hidden_px_ = still_px_;
  drawn_count_ = colors_.size();
}

int GifFramePixels::TransparentIndex(const GifPalette& palette) const {
  std::array<uint8_t, 256> uses = {};
  for (size_t i = 0; i < colors_.size(); ++i) {
    const int index = palette.Find(colors_.colors()[i]);
    if (index >= 0) uses[static_cast<size_t>(index)] = i < drawn_count_ ? 2 : 1;
  }
  for (const uint8_t use : {uint8_t{0}, uint8_t{1}}) {
    const auto end = uses.begin() + static_cast<std::ptrdiff_t>(palette.size());
    const auto found = std::find(uses.begin(), end, use);
    if (found != end) return static_cast<int>(found - uses.begin());
  }
  return -1;
}

bool GifFramePixels::CanDrawAll(const GifPalette& palette) const {
  const auto is_in = [&](uint32_t color) { return palette.Find(color) >= 0; };
  return hidden_px_ == 0 && std::ranges::all_of(colors_.colors(), is_in);
}

void GifFramePixels::Fill(const GifPalette& palette, int transparent, GifStill still) {
  // By number: the index, and 256 where it is free.
  std::array<uint16_t, 3 * 256> table = {};
  std::fill(table.begin() + kStill, table.end(), static_cast<uint16_t>(transparent & 255));
  for (size_t i = 0; i < colors_.size(); ++i) {
    const int index = palette.Find(colors_.colors()[i]);
    table[i] = static_cast<uint16_t>(index & 255);
  }
  for (size_t i = 0; i < still_count_ && still != GifStill::kSkipped; ++i) {
    if (still_numbers_[i] < 0) continue;
    const int index = palette.Find(colors_.colors()[static_cast<size_t>(still_numbers_[i])]);
    if (index < 0 || (still == GifStill::kEither && index == transparent)) continue;
    table[kStill + i] = static_cast<uint16_t>(index | (still == GifStill::kEither ? 256 : 0));
  }
  const uint16_t* numbers = numbers_.as<uint16_t>();
  uint8_t* indices = indices_.data();
  uint8_t* free = free_.data();
  for (size_t i = 0; i < pixels_; ++i) {
    const uint16_t entry = table[numbers[i]];
    indices[i] = static_cast<uint8_t>(entry);
    free[i] = static_cast<uint8_t>(entry >> 8);
  }
}

}  // namespace pixpress
