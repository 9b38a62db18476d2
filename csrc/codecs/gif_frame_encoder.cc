#include "codecs/gif_frame_encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "kernels/palette.h"

namespace pixpress {
namespace {

// From this effort on, frames are encoded in more than one way and the smallest is taken.
constexpr int kTrialEffort = 3;
// A smaller code size saves bytes at the start of a frame only, so big ones are not tried.
constexpr uint64_t kMostLocalTrialPixels = 1u << 15;
constexpr size_t kPixelsPerPoll = 1u << 16;
// Control, descriptor, and the largest table.
constexpr uint64_t kFrameHeadBytes = 8 + 10 + 768;

uint64_t Area(const CanvasPlace& place) { return uint64_t{place.width} * place.height; }

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

}  // namespace

Result<GifFrameEncoder> GifFrameEncoder::Create(uint32_t width, uint32_t height,
                                                const EncodeOptions& options,
                                                const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(GifLzwEncoder lzw, GifLzwEncoder::Create(context.meter));
  GifFrameEncoder encoder(options, context, std::move(lzw));
  const size_t pixels = size_t{width} * height;
  PIXPRESS_ASSIGN_OR_RETURN(encoder.drawn_, context.meter.Allocate(pixels * 4));
  PIXPRESS_ASSIGN_OR_RETURN(encoder.indices_, context.meter.Allocate(pixels));
  PIXPRESS_ASSIGN_OR_RETURN(encoder.free_, context.meter.Allocate(pixels));
  return encoder;
}

uint64_t GifFrameEncoder::MemoryBytes(uint32_t width, uint32_t height) {
  const uint64_t pixels = SaturatingMul(width, height);
  const uint64_t trials =
      SaturatingMul(SaturatingAdd(GifLzwEncoder::OutputBytes(pixels), kFrameHeadBytes), 2);
  // A quarter: what buffers are rounded up by.
  const uint64_t buffers = SaturatingAdd(SaturatingMul(pixels, 6), trials);
  return SaturatingAdd(SaturatingAdd(buffers, buffers / 4),
                       SaturatingAdd(PaletteMemoryBytes(width, height),
                                     GifLzwEncoder::MemoryBytes() + (256u << 10)));
}

// The colors that have to be drawn, to `own_`. False if they are too many for any palette. `skips`:
// pixels stand still.
bool GifFrameEncoder::CollectChanged(const GifFramePlan& plan, bool* skips) {
  own_.Clear();
  bool fits = true;
  uint32_t last = 0;
  ForEachPixel(plan, [&](uint32_t before, uint32_t after, size_t) {
    if (before == after) {
      *skips = true;
    } else if (after != last && fits) {
      fits = own_.Add(after);
      last = after;
    }
  });
  return fits;
}

// All colors of the place, to `own_`: then nothing has to be skipped.
bool GifFrameEncoder::CollectAll(const GifFramePlan& plan) {
  own_.Clear();
  bool fits = true;
  ForEachPixel(plan, [&](uint32_t, uint32_t after, size_t) {
    fits = fits && after != 0 && own_.Add(after);
  });
  return fits && own_.size() <= options_.colors;
}

Status GifFrameEncoder::ChooseColors(const GifFramePlan& plan) {
  bool skips = false;
  const bool fits = CollectChanged(plan, &skips);
  // Readers clear to transparent only where the frame names a transparent color.
  const bool is_cleared = plan.disposal == GifDisposal::kBackground;
  const size_t transparent = skips || is_cleared ? 1 : 0;
  is_exact_ = fits && own_.size() + transparent <= options_.colors;
  if (is_exact_) {
    // The first frame says whether the canvas can be transparent, wherever there is room.
    const bool is_named = transparent > 0 || (plan.is_first && own_.size() < options_.colors);
    if (is_named) own_.Add(0);
    return Status();
  }
  is_exact_ = !is_cleared && CollectAll(plan);
  return is_exact_ ? Status() : Quantize(plan, skips);
}

Status GifFrameEncoder::Quantize(const GifFramePlan& plan, bool skips) {
  uint8_t* rgba = drawn_.data();
  ForEachPixel(plan, [&](uint32_t before, uint32_t after, size_t i) {
    const uint32_t color = before == after ? 0 : after;
    for (size_t c = 0; c < 4; ++c) rgba[i * 4 + c] = static_cast<uint8_t>(color >> 8 * c);
  });
  const PixelView view{rgba, size_t{plan.place.width} * 4, plan.place.width, plan.place.height, 4};
  PaletteOptions options;
  // Skipped pixels count as a color; without any, the transparent one still needs its place.
  options.max_colors = std::max(2u, options_.colors - (skips ? 0 : 1));
  options.dither = options_.dither;
  options.effort = options_.effort;
  options.lossless = options_.lossless;
  PIXPRESS_ASSIGN_OR_RETURN(const std::vector<Rgba> palette,
                            ChoosePalette(view, options, *context_));
  PIXPRESS_RETURN_IF_ERROR(
      MapToPalette(view, palette, options, *context_, indices_.data(), plan.place.width));
  TakeQuantized(plan, palette);
  return Status();
}

// Turns `indices_` of `palette` to `drawn_`, and collects the colors.
void GifFrameEncoder::TakeQuantized(const GifFramePlan& plan, const std::vector<Rgba>& palette) {
  uint32_t* drawn = drawn_.as<uint32_t>();
  const uint8_t* indices = indices_.data();
  own_.Clear();
  ForEachPixel(plan, [&](uint32_t before, uint32_t after, size_t i) {
    drawn[i] = before == after ? 0 : GifColorOf(palette[indices[i]]);
    if (before != after && drawn[i] == 0) drawn[i] = NearestOpaque(after, palette);
    own_.Add(drawn[i]);
  });
  own_.Add(0);
}

// The pixels as indices of `palette`. True if some are free, which they are only `with_choice`.
bool GifFrameEncoder::FillIndices(const GifFramePlan& plan, const GifPalette& palette,
                                  bool with_choice) {
  const uint32_t* drawn = drawn_.as<uint32_t>();
  uint8_t* indices = indices_.data();
  uint8_t* free = free_.data();
  const int transparent = palette.Find(0);
  bool some_free = false;
  uint32_t last_color = 0;
  int last_index = transparent;
  const auto find = [&](uint32_t color) {
    if (color != last_color) {
      last_color = color;
      last_index = palette.Find(color);
    }
    return last_index;
  };
  ForEachPixel(plan, [&](uint32_t before, uint32_t after, size_t i) {
    const bool is_skipped = is_exact_ ? before == after : drawn[i] == 0;
    free[i] = 0;
    if (!is_skipped) {
      indices[i] = static_cast<uint8_t>(find(is_exact_ ? after : drawn[i]));
      return;
    }
    const bool may_draw = transparent < 0 || (with_choice && is_exact_ && after != 0);
    const int index = may_draw ? find(after) : -1;
    indices[i] = static_cast<uint8_t>(index >= 0 ? index : transparent);
    if (index >= 0 && transparent >= 0) {
      free[i] = 1;
      some_free = true;
    }
  });
  return some_free;
}

Status GifFrameEncoder::EncodeOnce(const GifFramePlan& plan, const GifPalette& palette,
                                   bool is_local, bool with_choice, ByteChain* smallest) {
  const std::span<const uint8_t> indices = indices_.span().first(Area(plan.place));
  const std::span<const uint8_t> free = free_.span().first(indices.size());
  const int transparent = palette.Find(0);
  size_t codes = *std::max_element(indices.begin(), indices.end()) + size_t{1};
  if (with_choice) codes = std::max(codes, static_cast<size_t>(transparent) + 1);
  ByteChain attempt(context_->meter);
  // A palette may have a transparent color that this frame does not need.
  const bool is_named = own_.Find(0) >= 0;
  PIXPRESS_RETURN_IF_ERROR(
      AppendGifControl(plan.disposal, plan.delay, is_named ? transparent : -1, &attempt));
  PIXPRESS_RETURN_IF_ERROR(AppendGifImage(
      plan.place, is_local ? palette.colors() : std::span<const uint32_t>(), &attempt));
  PIXPRESS_RETURN_IF_ERROR(lzw_.Start(std::max<uint8_t>(2, GifTableBits(codes)), &attempt));
  if (with_choice) {
    PIXPRESS_RETURN_IF_ERROR(
        lzw_.WriteWithChoice(indices, free, static_cast<uint8_t>(transparent), context_->stop));
  } else {
    for (size_t at = 0; at < indices.size(); at += kPixelsPerPoll) {
      PIXPRESS_RETURN_IF_ERROR(context_->stop.Poll());
      PIXPRESS_RETURN_IF_ERROR(
          lzw_.Write(indices.subspan(at, std::min(kPixelsPerPoll, indices.size() - at))));
    }
  }
  PIXPRESS_RETURN_IF_ERROR(lzw_.Finish());
  if (smallest->size_bytes() == 0 || attempt.size_bytes() < smallest->size_bytes()) {
    *smallest = std::move(attempt);
  }
  return Status();
}

Status GifFrameEncoder::Encode(const GifFramePlan& plan, const GifPalette& palette, bool is_local,
                               ByteChain* smallest) {
  FillIndices(plan, palette, /*with_choice=*/false);
  PIXPRESS_RETURN_IF_ERROR(EncodeOnce(plan, palette, is_local, /*with_choice=*/false, smallest));
  if (options_.effort < kTrialEffort) return Status();
  if (!FillIndices(plan, palette, /*with_choice=*/true)) return Status();
  return EncodeOnce(plan, palette, is_local, /*with_choice=*/true, smallest);
}

Status GifFrameEncoder::Write(const GifFramePlan& plan, ByteChain* out) {
  PIXPRESS_RETURN_IF_ERROR(ChooseColors(plan));
  GifPalette extended = global_;
  ByteChain smallest(context_->meter);
  const bool is_global = extended.AddAll(own_, options_.colors);
  if (is_global) {
    PIXPRESS_RETURN_IF_ERROR(Encode(plan, extended, /*is_local=*/false, &smallest));
  }
  const bool saves_bits = GifTableBits(own_.size()) < GifTableBits(extended.size());
  const bool is_tried = saves_bits && !plan.is_first && options_.effort >= kTrialEffort &&
                        Area(plan.place) <= kMostLocalTrialPixels;
  bool is_local = !is_global;
  if (is_local || is_tried) {
    ByteChain local(context_->meter);
    PIXPRESS_RETURN_IF_ERROR(Encode(plan, own_, /*is_local=*/true, &local));
    const uint64_t more_global_bytes = 3 * (extended.size() - global_.size());
    is_local = is_local || local.size_bytes() < smallest.size_bytes() + more_global_bytes;
    if (is_local) smallest = std::move(local);
  }
  if (!is_local) global_ = extended;
  for (const auto& chunk : smallest.chunks()) PIXPRESS_RETURN_IF_ERROR(out->Append(chunk));
  return Status();
}

}  // namespace pixpress
