// Frames are composed to the very bytes that libwebp's own animation decoder gives. That one is not
// used because it cannot be stopped inside of a frame and keeps canvases that nobody can charge.

#include "codecs/webp/animation_decode.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/checked_math.h"
#include "codecs/webp/chunks.h"
#include "codecs/webp/decode.h"
#include "codecs/webp/frames.h"
#include "image/image.h"

namespace pixpress {
namespace {

ImageLayout CanvasLayout(uint32_t width, uint32_t height) {
  return ImageLayout::Interleaved(width, height, ColorModel::kRgb, true);
}

// "Over" on straight alpha, with the roundings of libwebp.
void BlendPixel(const uint8_t* pixel, uint8_t* canvas) {
  const uint32_t alpha = pixel[3];
  if (alpha == 0) return;
  if (alpha == 255) {
    std::memcpy(canvas, pixel, 4);
    return;
  }
  const uint32_t back = (canvas[3] * (256 - alpha)) >> 8;
  const uint32_t both = alpha + back;
  const uint32_t scale = (1u << 24) / both;
  for (size_t c = 0; c < 3; ++c) {
    canvas[c] = static_cast<uint8_t>(((pixel[c] * alpha + canvas[c] * back) * scale) >> 24);
  }
  canvas[3] = static_cast<uint8_t>(both);
}

bool Contains(const CanvasPlace& place, uint32_t x, uint32_t y) {
  return x - place.x < place.width && y - place.y < place.height;
}

class WebpFrameSource final : public FrameSource {
 public:
  WebpFrameSource(Bytes encoded, const ImageInfo& info, const Limits& limits,
                  const WorkContext& context)
      : info_{info.width, info.height, info.frames, info.loop_count},
        reader_(encoded, /*takes_cut=*/context.salvage != nullptr),
        limits_(limits),
        context_(context) {}

  Status Init() {
    PIXPRESS_ASSIGN_OR_RETURN(
        canvas_, Image::Create(CanvasLayout(info_.width, info_.height), context_.meter));
    Clear({0, 0, info_.width, info_.height});
    return Status();
  }

  const AnimationInfo& info() const override { return info_; }

  Status Next(Frame* frame) override {
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    *frame = Frame();
    WebpFrame next;
    PIXPRESS_ASSIGN_OR_RETURN(const bool is_found, reader_.Next(info_.width, info_.height, &next));
    if (!is_found) return Status();
    PIXPRESS_RETURN_IF_ERROR(CheckDimensions(next.place.width, next.place.height, limits_));
    is_fresh_ = IsFresh(next);
    if (last_.disposal == CanvasDisposal::kClear) Clear(last_.place);
    PIXPRESS_RETURN_IF_ERROR(Draw(next));
    last_ = next;
    is_first_ = false;
    frame->canvas = &canvas_;
    frame->duration = {next.duration_ms, 1000};
    return Status();
  }

 private:
  bool IsWhole(const WebpFrame& frame) const {
    return frame.place.width == info_.width && frame.place.height == info_.height;
  }

  // Is nothing of what was there before seen through the frame? libwebp rounds nothing then.
  bool IsFresh(const WebpFrame& frame) const {
    const bool covers = frame.blend == CanvasBlend::kSource || !frame.has_alpha;
    return is_first_ || (covers && IsWhole(frame)) ||
           (last_.disposal == CanvasDisposal::kClear && (IsWhole(last_) || is_fresh_));
  }

  Status Draw(const WebpFrame& frame) {
    const CanvasPlace& place = frame.place;
    if (frame.blend == CanvasBlend::kSource || is_fresh_) {
      return DecodeWebpPixels(frame.image, place.width, place.height, /*with_alpha=*/true,
                              canvas_.stride_bytes(0), DrawingContext(),
                              canvas_.row(0, place.y) + size_t{place.x} * 4);
    }
    if (drawn_.layout().width == 0) {
      PIXPRESS_ASSIGN_OR_RETURN(drawn_, Image::Create(canvas_.layout(), context_.meter));
    }
    PIXPRESS_RETURN_IF_ERROR(DecodeWebpPixels(frame.image, place.width, place.height,
                                              /*with_alpha=*/true, drawn_.stride_bytes(0),
                                              DrawingContext(), drawn_.row(0, 0)));
    for (uint32_t y = 0; y < place.height; ++y) BlendRow(frame, y);
    return Status();
  }

  // Only of the first frame a part is better than nothing.
  WorkContext DrawingContext() const {
    WorkContext context = context_;
    if (!is_first_) context.salvage = nullptr;
    return context;
  }

  void BlendRow(const WebpFrame& frame, uint32_t y) {
    const CanvasPlace& place = frame.place;
    const CanvasPlace cleared =
        last_.disposal == CanvasDisposal::kClear ? last_.place : CanvasPlace();
    const uint8_t* pixels = drawn_.row(0, y);
    uint8_t* out = canvas_.row(0, place.y + y) + size_t{place.x} * 4;
    for (uint32_t x = 0; x < place.width; ++x, pixels += 4, out += 4) {
      if (Contains(cleared, place.x + x, place.y + y)) {
        std::memcpy(out, pixels, 4);
      } else {
        BlendPixel(pixels, out);
      }
    }
  }

  void Clear(const CanvasPlace& place) {
    for (uint32_t y = place.y; y < place.y + place.height; ++y) {
      std::memset(canvas_.row(0, y) + size_t{place.x} * 4, 0, size_t{place.width} * 4);
    }
  }

  const AnimationInfo info_;
  WebpFrameReader reader_;
  const Limits limits_;
  const WorkContext context_;
  Image canvas_;
  Image drawn_;  // A frame that is blended, made when first needed.
  WebpFrame last_;
  bool is_fresh_ = true;  // As IsFresh says of the last frame.
  bool is_first_ = true;
};

}  // namespace

uint64_t WebpFramesMemoryBytes(const ImageInfo& info) {
  const uint64_t canvas = Image::MemoryBytes(CanvasLayout(info.width, info.height));
  // Any frame may be lossless, which needs more.
  return SaturatingAdd(SaturatingMul(canvas, 2),
                       WebpDecoderBytes(info.width, info.height, /*is_lossless=*/true,
                                        /*has_alpha=*/true));
}

Result<std::unique_ptr<FrameSource>> OpenWebpFrames(Bytes encoded, const ImageInfo& info,
                                                    const Limits& limits,
                                                    const WorkContext& context) {
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  PIXPRESS_RETURN_IF_ERROR(CheckFrames(info.frames, info.width, info.height, limits));
  if (context.salvage == nullptr) {
    PIXPRESS_ASSIGN_OR_RETURN(encoded, WholeRiff(encoded));
    PIXPRESS_RETURN_IF_ERROR(CheckWebpFrames(encoded, info));
  }
  auto source = std::make_unique<WebpFrameSource>(encoded, info, limits, context);
  PIXPRESS_RETURN_IF_ERROR(source->Init());
  return std::unique_ptr<FrameSource>(std::move(source));
}

}  // namespace pixpress
