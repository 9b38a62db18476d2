// libwebp's own animation encoder is not used: it keeps every frame until the end, and then two
// copies of them, cannot be stopped inside of a frame, and nobody can charge what it holds.

#include "codecs/webp/animation_encode.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/animation_output.h"
#include "codecs/difference_sink.h"
#include "codecs/webp/chunks.h"
#include "codecs/webp/encode.h"
#include "codecs/webp/frames.h"
#include "image/image.h"

namespace pixpress {
namespace {

constexpr uint32_t kUnitsPerSecond = 1000;
// From this effort on, both ways to blend are tried where both are possible.
constexpr int kTrialEffort = 5;

bool IsLossless(const EncodeOptions& options) {
  return options.lossless || options.near_lossless < 100;
}

uint64_t OutputBytes(const AnimationInfo& animation, const EncodeOptions& options) {
  return AnimationOutputBytes(animation, {.is_lossless = IsLossless(options),
                                          .quality = options.quality,
                                          .most_overhead_part = 8,
                                          .free_bytes = 24u << 20,
                                          .frame_head_bytes = 256});
}

class WebpAnimation final : public DifferenceSink {
 public:
  WebpAnimation(const AnimationInfo& animation, const EncodeOptions& options,
                const Metadata& metadata, const WorkContext& context, ByteChain* out)
      : DifferenceSink(animation, {.can_restore = false, .grid_px = 2}, context),
        options_(options),
        metadata_(metadata),
        out_(out) {}
  using DifferenceSink::Init;

 private:
  FrameDuration StoredDuration(const FrameDuration& duration) override {
    return {std::min(rounder_.Next(duration), kLongestWebpMs), kUnitsPerSecond};
  }

  bool Extend(FrameDuration* duration, const FrameDuration& more) const override {
    if (duration->numerator + more.numerator > kLongestWebpMs) return false;
    duration->numerator += more.numerator;
    return true;
  }

  Status WriteFrame(const CanvasFrame& frame) override {
    const FrameContent content = LookAtFrame(frame);
    const uint64_t pixels = uint64_t{frame.place.width} * frame.place.height;
    const bool may_blend = content.may_blend_over && content.still_px > 0 && !frame.is_first;
    const bool tries_both = may_blend && options_.effort >= kTrialEffort;
    CanvasBlend blend = CanvasBlend::kSource;
    // Lossy color costs more than the mask that saves it only where much stands still.
    if (tries_both || (may_blend && content.still_px >= pixels / 2)) blend = CanvasBlend::kOver;
    WebpBytes image;
    PIXPRESS_RETURN_IF_ERROR(Compress(frame, blend, content.is_opaque, &image));
    if (tries_both) {
      WebpBytes rival;
      PIXPRESS_RETURN_IF_ERROR(Compress(frame, CanvasBlend::kSource, content.is_opaque, &rival));
      if (rival.bytes().size() < image.bytes().size()) {
        std::swap(image, rival);
        blend = CanvasBlend::kSource;
      }
    }
    has_alpha_ |= !content.is_opaque || frame.disposal == CanvasDisposal::kClear ||
                  blend == CanvasBlend::kOver;
    return Append(frame, blend, image.bytes());
  }

  Status Compress(const CanvasFrame& frame, CanvasBlend blend, bool is_opaque, WebpBytes* image) {
    PIXPRESS_RETURN_IF_ERROR(context().stop.Poll());
    const bool has_alpha = blend == CanvasBlend::kOver || !is_opaque;
    PIXPRESS_ASSIGN_OR_RETURN(Image pixels,
                              MakeFrameImage(frame, blend, has_alpha, context().meter));
    EncodeOptions options = options_;
    // A mask that is not exact lets colors through that nobody has seen.
    if (blend == CanvasBlend::kOver) options.alpha_quality = 100;
    return EncodeWebpImage(std::move(pixels), /*is_still=*/false, options, context(), image);
  }

  Status Append(const CanvasFrame& frame, CanvasBlend blend, Bytes image) {
    const uint64_t most = OutputBytes(animation(), options_);
    if (out_->size_bytes() + image.size() > most) {
      return Status(StatusCode::kMemoryLimit,
                    "the animation takes more than the " + std::to_string(most) +
                        " bytes that were set aside for it; a lower quality takes less");
    }
    return AppendWebpFrame({.place = frame.place,
                            .duration_ms = frame.duration.numerator,
                            .disposal = frame.disposal,
                            .blend = blend,
                            .image = image},
                           out_);
  }

  Status WriteEnd() override {
    ByteChain head(context().meter);
    const WebpExtent extent{animation().width, animation().height, has_alpha_,
                            /*is_animated=*/true};
    PIXPRESS_RETURN_IF_ERROR(
        AppendWebpHead(extent, metadata_, kWebpAnimBytes + out_->size_bytes(), &head));
    PIXPRESS_RETURN_IF_ERROR(AppendWebpAnim(animation().loop_count, &head));
    std::vector<uint8_t> flat(head.size_bytes());
    head.CopyTo(flat.data());
    PIXPRESS_RETURN_IF_ERROR(out_->Prepend(flat));
    return AppendWebpTail(metadata_, out_);
  }

  const EncodeOptions options_;
  const Metadata metadata_;
  ByteChain* const out_;  // Not owned.
  DurationRounder rounder_{kUnitsPerSecond};
  bool has_alpha_ = false;  // Of any frame.
};

}  // namespace

uint64_t WebpAnimationMemoryBytes(const AnimationInfo& animation, const EncodeOptions& options) {
  const ImageLayout layout =
      ImageLayout::Interleaved(animation.width, animation.height, ColorModel::kRgb, true);
  const uint64_t output = OutputBytes(animation, options);
  constexpr uint64_t kSlackBytes = 1u << 20;
  return SaturatingAdd(
      SaturatingAdd(DifferenceSink::CanvasMemoryBytes(animation.width, animation.height),
                    WebpEncodeMemoryBytes(layout, options)),
      SaturatingAdd(SaturatingAdd(output, output / 16), kSlackBytes));
}

Result<std::unique_ptr<FrameSink>> StartWebpAnimation(const AnimationInfo& animation,
                                                      const EncodeOptions& options,
                                                      const Metadata& metadata,
                                                      const WorkContext& context, ByteChain* out) {
  auto sink = std::make_unique<WebpAnimation>(animation, options, metadata, context, out);
  PIXPRESS_RETURN_IF_ERROR(sink->Init());
  return std::unique_ptr<FrameSink>(std::move(sink));
}

}  // namespace pixpress
