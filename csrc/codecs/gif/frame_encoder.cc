#include "codecs/gif/frame_encoder.h"

#include <algorithm>
#include <utility>

#include "base/checked_math.h"
#include "codecs/gif/writer.h"

namespace pixpress {
namespace {

// From this effort on, strings are chosen among what still pixels may be, and palettes compared.
constexpr int kChoiceEffort = 3;
// From this one on, what the choice may lose to is tried as well.
constexpr int kTrialEffort = 7;
// A smaller code size saves bytes at the start of a frame only, so big ones are not tried.
constexpr uint64_t kMostLocalTrialPixels = 1u << 15;
// Frames in one way before both are tried again.
constexpr uint32_t kMostFramesToTrial = 15;
constexpr size_t kPixelsPerPoll = 1u << 16;
// Control, descriptor, and the largest table.
constexpr uint64_t kFrameHeadBytes = 8 + 10 + 768;

uint8_t CodeBits(size_t codes) { return std::max<uint8_t>(2, GifTableBits(codes)); }

}  // namespace

Result<GifFrameEncoder> GifFrameEncoder::Create(uint32_t width, uint32_t height,
                                                const EncodeOptions& options,
                                                const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(GifFramePixels pixels,
                            GifFramePixels::Create(width, height, options, context));
  PIXPRESS_ASSIGN_OR_RETURN(GifLzwEncoder lzw, GifLzwEncoder::Create(context.meter));
  return GifFrameEncoder(options, context, std::move(pixels), std::move(lzw));
}

uint64_t GifFrameEncoder::MemoryBytes(uint32_t width, uint32_t height) {
  const uint64_t pixels = SaturatingMul(width, height);
  const uint64_t trials =
      SaturatingMul(SaturatingAdd(GifLzwEncoder::OutputBytes(pixels), kFrameHeadBytes), 3);
  return SaturatingAdd(SaturatingAdd(trials, trials / 4),
                       SaturatingAdd(GifFramePixels::MemoryBytes(width, height),
                                     GifLzwEncoder::MemoryBytes() + (256u << 10)));
}

void GifFrameEncoder::Rivals::Note(bool is_second_smaller, uint64_t pixels) {
  tried_px = pixels;
  const bool is_as_before = is_second_smaller == prefers_second;
  gap_frames = is_as_before ? std::min(kMostFramesToTrial, gap_frames * 2 + 1) : 0;
  frames_to_trial = gap_frames;
  prefers_second = is_second_smaller;
}

// `base` with the colors of the frame, and with one for transparency where there is no other and
// room; `base` itself where they do not fit.
GifPalette GifFrameEncoder::PaletteOf(const GifFramePlan& plan, const GifPalette& base) const {
  GifPalette palette = base;
  if (!palette.AddAll(pixels_.must_draw_all() ? pixels_.all() : pixels_.drawn(), options_.colors)) {
    return base;
  }
  // The first frame says whether the canvas can be transparent, wherever there is room.
  const bool may_name =
      plan.is_first || pixels_.still_px() > 0 || plan.disposal == GifDisposal::kBackground;
  if (may_name && pixels_.TransparentIndex(palette) < 0 && palette.size() < options_.colors) {
    palette.Add(0);
  }
  return palette;
}

Status GifFrameEncoder::EncodeWith(const GifFramePlan& plan, const GifPalette& palette,
                                   const Attempt& attempt, GifClearing clearing, ByteChain* made) {
  const std::span<const uint8_t> indices = pixels_.indices();
  size_t codes = *std::max_element(indices.begin(), indices.end()) + size_t{1};
  if (attempt.still == GifStill::kEither) {
    codes = std::max(codes, static_cast<size_t>(attempt.transparent) + 1);
  }
  PIXPRESS_RETURN_IF_ERROR(AppendGifControl(
      plan.disposal, plan.delay, attempt.names_transparent ? attempt.transparent : -1, made));
  PIXPRESS_RETURN_IF_ERROR(AppendGifImage(
      plan.place, attempt.is_local ? palette.colors() : std::span<const uint32_t>(), made));
  PIXPRESS_RETURN_IF_ERROR(lzw_.Start(CodeBits(codes), made, clearing));
  if (attempt.still == GifStill::kEither || attempt.is_lossy) {
    // Its color, even black, is no rival of others where it is not shown.
    const int transparent = attempt.names_transparent ? attempt.transparent : -1;
    PIXPRESS_RETURN_IF_ERROR(lzw_.WriteWithChoice(
        indices, pixels_.free(), transparent, attempt.is_lossy ? loss_ : no_loss_, context_->stop));
  } else {
    for (size_t at = 0; at < indices.size(); at += kPixelsPerPoll) {
      PIXPRESS_RETURN_IF_ERROR(context_->stop.Poll());
      PIXPRESS_RETURN_IF_ERROR(
          lzw_.Write(indices.subspan(at, std::min(kPixelsPerPoll, indices.size() - at))));
    }
  }
  return lzw_.Finish();
}

// Where the table gets full, with both ways to clear it while that is on trial.
Status GifFrameEncoder::EncodeOnce(const GifFramePlan& plan, const GifPalette& palette,
                                   const Attempt& attempt, ByteChain* smallest) {
  pixels_.Fill(palette, attempt.transparent, attempt.still);
  const auto keep_smaller = [&](ByteChain made) {
    if (smallest->size_bytes() == 0 || made.size_bytes() < smallest->size_bytes()) {
      *smallest = std::move(made);
    }
  };
  const auto way = [](bool second) {
    return second ? GifClearing::kAtOnce : GifClearing::kWhenBad;
  };
  Rivals& clearing = clearing_[attempt.is_lossy ? 1 : 0];
  const bool is_second = clearing.prefers_second;
  ByteChain made(context_->meter);
  PIXPRESS_RETURN_IF_ERROR(EncodeWith(plan, palette, attempt, way(is_second), &made));
  const uint64_t made_bytes = made.size_bytes();
  keep_smaller(std::move(made));
  if (!lzw_.was_full() || options_.effort < kChoiceEffort) return Status();
  if (!clearing.IsTrialDue(plan.area())) {
    clearing.Pass();
    return Status();
  }
  ByteChain rival(context_->meter);
  PIXPRESS_RETURN_IF_ERROR(EncodeWith(plan, palette, attempt, way(!is_second), &rival));
  clearing.Note((rival.size_bytes() < made_bytes) != is_second, plan.area());
  keep_smaller(std::move(rival));
  return Status();
}

// A frame of which a part stands still: that part is free, or drawn as well, which repeats itself
// where areas are flat. As frames resemble each other, both are tried less and less often.
Status GifFrameEncoder::EncodeStill(const GifFramePlan& plan, const GifPalette& palette,
                                    Attempt attempt, bool can_draw_all, ByteChain* smallest) {
  const auto encode_as = [&](GifStill still) {
    attempt.still = still;
    attempt.names_transparent =
        still != GifStill::kDrawn || plan.is_first || plan.disposal == GifDisposal::kBackground;
    return EncodeOnce(plan, palette, attempt, smallest);
  };
  Rivals& drawing = drawing_[attempt.is_lossy ? 1 : 0];
  const bool is_thorough = options_.effort >= kTrialEffort;
  const bool is_trial = can_draw_all && (is_thorough || drawing.IsTrialDue(plan.area()));
  const bool is_only_drawn = can_draw_all && !is_trial && drawing.prefers_second;
  if (is_thorough) PIXPRESS_RETURN_IF_ERROR(encode_as(GifStill::kSkipped));
  if (!is_only_drawn) PIXPRESS_RETURN_IF_ERROR(encode_as(GifStill::kEither));
  const uint64_t rival_bytes = smallest->size_bytes();
  if (is_trial || is_only_drawn) PIXPRESS_RETURN_IF_ERROR(encode_as(GifStill::kDrawn));
  if (is_trial) {
    drawing.Note(smallest->size_bytes() < rival_bytes, plan.area());
  } else {
    drawing.Pass();
  }
  return Status();
}

// With loss and without, as loss may not pay; `smallest` stays empty where the palette allows no
// way.
Status GifFrameEncoder::Encode(const GifFramePlan& plan, const GifPalette& palette, bool is_local,
                               ByteChain* smallest) {
  Attempt attempt;
  attempt.is_local = is_local;
  if (loss_.is_none()) return EncodeAs(plan, palette, attempt, smallest);
  loss_.SetPalette(palette.colors());
  attempt.is_lossy = true;
  PIXPRESS_RETURN_IF_ERROR(EncodeAs(plan, palette, attempt, smallest));
  attempt.is_lossy = false;
  ByteChain exact(context_->meter);
  PIXPRESS_RETURN_IF_ERROR(EncodeAs(plan, palette, attempt, &exact));
  if (exact.size_bytes() <= smallest->size_bytes()) *smallest = std::move(exact);
  return Status();
}

// In the ways that may be the smallest.
Status GifFrameEncoder::EncodeAs(const GifFramePlan& plan, const GifPalette& palette,
                                 Attempt attempt, ByteChain* smallest) {
  attempt.transparent = pixels_.TransparentIndex(palette);
  const bool is_cleared = plan.disposal == GifDisposal::kBackground;
  const bool has_transparent = attempt.transparent >= 0;
  const bool can_draw_all = pixels_.CanDrawAll(palette) && (has_transparent || !is_cleared);
  const bool can_skip = has_transparent && !pixels_.must_draw_all();
  if (pixels_.still_px() == 0 || !can_skip) {
    if (!can_draw_all) return Status();
    attempt.names_transparent = has_transparent && (plan.is_first || is_cleared);
    return EncodeOnce(plan, palette, attempt, smallest);
  }
  if (options_.effort < kChoiceEffort) {
    attempt.names_transparent = true;
    attempt.still = GifStill::kSkipped;
    return EncodeOnce(plan, palette, attempt, smallest);
  }
  return EncodeStill(plan, palette, attempt, can_draw_all, smallest);
}

Status GifFrameEncoder::Write(const GifFramePlan& plan, ByteChain* out) {
  PIXPRESS_RETURN_IF_ERROR(pixels_.Take(plan));
  const GifPalette extended = PaletteOf(plan, global_);
  const GifPalette own = PaletteOf(plan, GifPalette());
  ByteChain smallest(context_->meter);
  const auto is_drawn = [&](uint32_t color) { return extended.Find(color) >= 0; };
  if (std::ranges::all_of(pixels_.drawn(), is_drawn)) {
    PIXPRESS_RETURN_IF_ERROR(Encode(plan, extended, /*is_local=*/false, &smallest));
  }
  const bool saves_bits = GifTableBits(own.size()) < GifTableBits(extended.size());
  const bool is_tried = saves_bits && !plan.is_first && options_.effort >= kChoiceEffort &&
                        plan.area() <= kMostLocalTrialPixels;
  bool is_local = smallest.size_bytes() == 0;
  if (is_local || is_tried) {
    ByteChain local(context_->meter);
    PIXPRESS_RETURN_IF_ERROR(Encode(plan, own, /*is_local=*/true, &local));
    const uint64_t more_global_bytes = 3 * (extended.size() - global_.size());
    is_local = is_local || (local.size_bytes() > 0 &&
                            local.size_bytes() < smallest.size_bytes() + more_global_bytes);
    if (is_local) smallest = std::move(local);
  }
  if (!is_local) global_ = extended;
  for (const auto& chunk : smallest.chunks()) PIXPRESS_RETURN_IF_ERROR(out->Append(chunk));
  return Status();
}

}  // namespace pixpress
