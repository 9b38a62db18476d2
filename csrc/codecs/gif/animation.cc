// A frame is written once the next one is known: what the next one needs decides how the frame is
// disposed of, and a frame that has to be cleared away reaches over all that must vanish with it.

#include "codecs/gif/animation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "codecs/canvas_difference.h"
#include "codecs/gif/frame_encoder.h"
#include "codecs/gif/loss.h"
#include "codecs/gif/still_blocks.h"
#include "codecs/gif/writer.h"
#include "image/image.h"

namespace pixpress {
namespace {

constexpr uint32_t kUnitsPerSecond = 100;
constexpr uint32_t kLongestDelay = 65535;
// Control, descriptor, the largest local table, and sub-block ends.
constexpr uint64_t kFrameHeadBytes = 1024;
constexpr uint64_t kSlackBytes = 1u << 20;

// What a disposal leads to.
struct Disposed {
  GifDisposal disposal = GifDisposal::kKeep;
  CanvasPlace place;      // Of the frame that is disposed of.
  CanvasDifference next;  // What the next frame has to draw.
};

// Changed pixels cost; pixels that are only passed over cost little.
constexpr uint64_t kChangedCost = 4;
uint64_t CostOf(const CanvasDifference& difference) {
  return difference.changed * kChangedCost +
         uint64_t{difference.place.width} * difference.place.height / 4;
}

class GifAnimation final : public FrameSink {
 public:
  GifAnimation(const AnimationInfo& animation, const EncodeOptions& options,
               const Metadata& metadata, GifFrameEncoder encoder, const WorkContext& context,
               ByteChain* out)
      : animation_(animation),
        is_lossless_(options.lossless),
        loss_(options),
        metadata_(metadata),
        encoder_(std::move(encoder)),
        context_(context),
        out_(out) {}

  Status Init() {
    const size_t bytes = size_t{animation_.width} * animation_.height * sizeof(uint32_t);
    for (Buffer* canvas : {&before_, &shown_, &next_}) {
      PIXPRESS_ASSIGN_OR_RETURN(*canvas, context_.meter.Allocate(bytes));
    }
    std::memset(before_.data(), 0, bytes);
    return Status();
  }

  Status Add(const Image& canvas, const FrameDuration& duration) override {
    return AddChanged(canvas, duration, animation_.whole());
  }

  Status AddChanged(const Image& canvas, const FrameDuration& duration,
                    const CanvasPlace& changed) override {
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    const uint32_t delay = std::min(rounder_.Next(duration), kLongestDelay);
    if (is_lossless_ && HasPartlyTransparent(canvas, changed)) return PartlyTransparent();
    Take(canvas, has_shown_ ? changed : animation_.whole());
    if (has_shown_) {
      // Errors do not add up: pixels are compared with what was asked for.
      if (!loss_.is_none()) KeepStillBlocks(loss_, Pixels(shown_), changed, next_.as<uint32_t>());
      const CanvasDifference keep = CompareCanvases(Pixels(shown_), Pixels(next_), changed);
      stale_ = keep.place;
      if (keep.changed == 0 && delay_ + delay <= kLongestDelay) {
        delay_ += delay;
        return Status();
      }
      PIXPRESS_RETURN_IF_ERROR(WriteShown(keep));
    } else {
      drawn_ = CompareCanvases(Pixels(before_), Pixels(next_), animation_.whole()).place;
      stale_ = animation_.whole();
    }
    std::swap(shown_, next_);
    delay_ = delay;
    has_shown_ = true;
    return Status();
  }

  Status Finish() override {
    if (!has_shown_) return Status(StatusCode::kInternal, "an animation has no frames");
    PIXPRESS_RETURN_IF_ERROR(Write(GifDisposal::kKeep, drawn_));
    PIXPRESS_RETURN_IF_ERROR(out_->Prepend(MakeGifHeader(animation_.width, animation_.height,
                                                         encoder_.global_palette().colors(),
                                                         animation_.loop_count, metadata_)));
    return AppendGifTrailer(out_);
  }

 private:
  CanvasPixels Pixels(const Buffer& canvas) const {
    return {reinterpret_cast<const uint32_t*>(canvas.data()), animation_.width, animation_.height};
  }

  static bool HasPartlyTransparent(const Image& canvas, const CanvasPlace& place) {
    for (uint32_t y = place.y; y < place.y + place.height; ++y) {
      const uint8_t* row = canvas.row(0, y);
      for (uint32_t x = place.x; x < place.x + place.width; ++x) {
        const uint8_t alpha = row[size_t{x} * 4 + 3];
        if (alpha != 0 && alpha != 255) return true;
      }
    }
    return false;
  }

  // Makes `next_` what is shown, and of `changed` what is asked for.
  void Take(const Image& canvas, const CanvasPlace& changed) {
    for (uint32_t y = stale_.y; y < stale_.y + stale_.height; ++y) {
      const size_t at = size_t{y} * animation_.width + stale_.x;
      std::memcpy(next_.as<uint32_t>() + at, shown_.as<uint32_t>() + at,
                  stale_.width * sizeof(uint32_t));
    }
    for (uint32_t y = changed.y; y < changed.y + changed.height; ++y) {
      const uint8_t* row = canvas.row(0, y);
      uint32_t* out = next_.as<uint32_t>() + size_t{y} * animation_.width;
      for (uint32_t x = changed.x; x < changed.x + changed.width; ++x) {
        out[x] = GifColor(row + size_t{x} * 4);
      }
    }
  }

  // How to dispose of the shown frame so that the next one can be drawn; `keep` is how they differ.
  Disposed ChooseDisposal(const CanvasDifference& keep) const {
    Disposed best{GifDisposal::kKeep, drawn_, keep};
    if (keep.uncovered > 0) {
      best.disposal = GifDisposal::kBackground;
      best.place = Together(drawn_, keep.uncovered_place);
      best.next = CompareCanvases(Pixels(shown_), Pixels(next_), Together(best.place, keep.place),
                                  best.place);
    }
    // Readers do not agree on what was before the first frame.
    if (is_first_) return best;
    const CanvasDifference previous =
        CompareCanvases(Pixels(before_), Pixels(next_), Together(drawn_, keep.place), {},
                        CostOf(best.next) / kChangedCost);
    if (previous.uncovered == 0 && CostOf(previous) < CostOf(best.next)) {
      best = {GifDisposal::kPrevious, drawn_, previous};
    }
    return best;
  }

  Status WriteShown(const CanvasDifference& keep) {
    const Disposed disposed = ChooseDisposal(keep);
    PIXPRESS_RETURN_IF_ERROR(Write(disposed.disposal, disposed.place));
    const CanvasPlace drawn = std::exchange(drawn_, disposed.next.place);
    if (disposed.disposal == GifDisposal::kPrevious) return Status();
    // What was before is overwritten by the next frame but one.
    stale_ = Together(drawn, keep.place);
    std::swap(before_, shown_);
    if (disposed.disposal == GifDisposal::kBackground) Clear(disposed.place);
    return Status();
  }

  void Clear(const CanvasPlace& place) {
    for (uint32_t y = place.y; y < place.y + place.height; ++y) {
      uint32_t* row = before_.as<uint32_t>() + size_t{y} * animation_.width;
      std::fill_n(row + place.x, place.width, 0u);
    }
  }

  Status Write(GifDisposal disposal, CanvasPlace place) {
    // A frame that changes nothing still takes its time.
    if (place.width == 0) place = {0, 0, 1, 1};
    const GifFramePlan plan{
        Pixels(before_), Pixels(shown_), place, disposal, static_cast<uint16_t>(delay_), is_first_};
    is_first_ = false;
    return encoder_.Write(plan, out_);
  }

  const AnimationInfo animation_;
  const bool is_lossless_;
  const GifLoss loss_;
  const Metadata metadata_;
  GifFrameEncoder encoder_;
  const WorkContext context_;
  ByteChain* const out_;  // Not owned.
  DurationRounder rounder_{kUnitsPerSecond};
  Buffer before_;  // What the shown frame is drawn on.
  Buffer shown_;   // The last frame that was added, not written yet.
  Buffer next_;
  CanvasPlace drawn_;   // Where the shown frame differs from that.
  CanvasPlace stale_;   // Where `next_` may differ from the shown frame before it is taken.
  uint32_t delay_ = 0;  // Of the shown frame.
  bool has_shown_ = false;
  bool is_first_ = true;
};

}  // namespace

uint64_t GifAnimationMemoryBytes(const AnimationInfo& animation, const EncodeOptions&) {
  const uint64_t pixels = SaturatingMul(animation.width, animation.height);
  const uint64_t canvases = SaturatingMul(pixels, 3 * 4);
  const uint64_t frame = SaturatingAdd(GifLzwEncoder::OutputBytes(pixels), kFrameHeadBytes);
  // One frame more is on its way when the last useful byte is there.
  const uint64_t output = std::min(SaturatingMul(frame, animation.frames),
                                   SaturatingAdd(animation.useful_bytes, SaturatingMul(frame, 2)));
  return SaturatingAdd(
      SaturatingAdd(canvases, canvases / 4),
      SaturatingAdd(SaturatingAdd(output, output / 16 + kSlackBytes),
                    GifFrameEncoder::MemoryBytes(animation.width, animation.height)));
}

Result<std::unique_ptr<FrameSink>> StartGifAnimation(const AnimationInfo& animation,
                                                     const EncodeOptions& options,
                                                     const Metadata& metadata,
                                                     const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(
      GifFrameEncoder encoder,
      GifFrameEncoder::Create(animation.width, animation.height, options, context));
  auto sink = std::make_unique<GifAnimation>(animation, options, metadata, std::move(encoder),
                                             context, out);
  PIXPRESS_RETURN_IF_ERROR(sink->Init());
  return std::unique_ptr<FrameSink>(std::move(sink));
}

}  // namespace pixpress
