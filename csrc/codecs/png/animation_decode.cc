// Frames are composed as the third edition of the PNG specification says.

#include "codecs/png/animation_decode.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/png/chunks.h"
#include "codecs/png/decode.h"
#include "codecs/png/frames.h"
#include "codecs/png/numbers.h"
#include "image/image.h"
#include "kernels/convert.h"

namespace pixpress {
namespace {

constexpr size_t kHeaderBytes = 13;  // Of IHDR.

ImageLayout CanvasLayout(uint32_t width, uint32_t height) {
  return ImageLayout::Interleaved(width, height, ColorModel::kRgb, true);
}

// The operator "over" on straight alpha, rounded to nearest.
void BlendOver(const uint8_t* pixels, uint32_t count, uint8_t* canvas) {
  for (uint32_t x = 0; x < count; ++x, pixels += 4, canvas += 4) {
    const uint32_t alpha = pixels[3];
    if (alpha == 0) continue;
    if (alpha == 255 || canvas[3] == 0) {
      std::memcpy(canvas, pixels, 4);
      continue;
    }
    const uint32_t front = alpha * 255;
    const uint32_t back = (255 - alpha) * canvas[3];
    const uint32_t both = front + back;
    for (size_t c = 0; c < 3; ++c) {
      canvas[c] = static_cast<uint8_t>((pixels[c] * front + canvas[c] * back + both / 2) / both);
    }
    canvas[3] = static_cast<uint8_t>((both + 127) / 255);
  }
}

// Rows of any PNG as RGBA of 8 bits.
class RowConverter {
 public:
  Status Init(const ImageLayout& canvas, const ImageInfo& info, Meter& meter) {
    color_ = info.color;
    has_alpha_ = info.has_alpha;
    is_deep_ = info.bits == 16;
    PIXPRESS_ASSIGN_OR_RETURN(rgba_, meter.Allocate(canvas.row_bytes(0)));
    if (!is_deep_) return Status();
    PIXPRESS_ASSIGN_OR_RETURN(narrow_, meter.Allocate(canvas.row_bytes(0)));
    return Status();
  }

  const uint8_t* Convert(const uint8_t* row, uint32_t pixels) {
    if (is_deep_) {
      const size_t channels = (color_ == ColorModel::kGray ? 1 : 3) + (has_alpha_ ? 1 : 0);
      Narrow16To8(reinterpret_cast<const uint16_t*>(row), pixels * channels, narrow_.data());
      row = narrow_.data();
    }
    if (color_ == ColorModel::kRgb && has_alpha_) return row;
    ConvertChannelsRow(row, color_, has_alpha_, ColorModel::kRgb, true, 8, pixels, rgba_.data());
    return rgba_.data();
  }

 private:
  ColorModel color_ = ColorModel::kRgb;
  bool has_alpha_ = false;
  bool is_deep_ = false;
  Buffer narrow_;
  Buffer rgba_;
};

class PngFrameSource final : public FrameSource {
 public:
  PngFrameSource(Bytes encoded, const ImageInfo& info, const Limits& limits,
                 const WorkContext& context)
      : info_{info.width, info.height, info.frames, info.loop_count},
        image_(info),
        reader_(encoded, /*checks_data=*/false),
        limits_(limits),
        context_(context) {}

  Status Init() {
    PIXPRESS_ASSIGN_OR_RETURN(
        canvas_, Image::Create(CanvasLayout(info_.width, info_.height), context_.meter));
    Clear({0, 0, info_.width, info_.height});
    return converter_.Init(canvas_.layout(), image_, context_.meter);
  }

  const AnimationInfo& info() const override { return info_; }

  Status Next(Frame* frame) override {
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    *frame = Frame();
    Dispose();
    bool is_found = false;
    PIXPRESS_RETURN_IF_ERROR(FindFrame(&is_found));
    if (!is_found) return Status();
    PIXPRESS_RETURN_IF_ERROR(CheckDimensions(control_.place.width, control_.place.height, limits_));
    PIXPRESS_RETURN_IF_ERROR(PrepareDisposal());
    PIXPRESS_RETURN_IF_ERROR(Draw());
    is_first_ = false;
    frame->canvas = &canvas_;
    frame->duration = control_.duration;
    return Status();
  }

 private:
  // Up to the next fcTL. Keeps what all frames share on the way.
  Status FindFrame(bool* is_found) {
    while (true) {
      PngChunk chunk;
      PIXPRESS_ASSIGN_OR_RETURN(const auto step, reader_.Next(&chunk));
      if (step != PngChunkReader::Step::kChunk) return Status();
      if (chunk.type == "IHDR") header_ = chunk.data;
      if (chunk.type == "PLTE" && !has_image_) palette_ = chunk.whole;
      if (chunk.type == "tRNS" && !has_image_) transparency_ = chunk.whole;
      if (chunk.type == "IDAT") has_image_ = true;
      if (chunk.type != "fcTL") continue;
      PIXPRESS_ASSIGN_OR_RETURN(control_,
                                ParsePngFrameControl(chunk.data, info_.width, info_.height));
      *is_found = true;
      return Status();
    }
  }

  // The chunks before the data of the frame. Palettes may stand behind the first fcTL.
  Result<std::vector<uint8_t>> MakeHead() {
    PngChunkReader ahead = reader_;
    PngChunk chunk;
    while (!has_image_) {
      PIXPRESS_ASSIGN_OR_RETURN(const auto step, ahead.Next(&chunk));
      if (step != PngChunkReader::Step::kChunk || chunk.type == "IDAT") break;
      if (chunk.type == "PLTE") palette_ = chunk.whole;
      if (chunk.type == "tRNS") transparency_ = chunk.whole;
    }
    if (header_.size() != kHeaderBytes) {
      return Status(StatusCode::kCorruptImage, "the file has changed since it was probed");
    }
    std::vector<uint8_t> ihdr(header_.begin(), header_.end());
    StorePng32(control_.place.width, ihdr.data());
    StorePng32(control_.place.height, ihdr.data() + 4);
    ByteChain chain(context_.meter);
    PIXPRESS_RETURN_IF_ERROR(AppendPngSignature(&chain));
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(&chain, "IHDR", ihdr));
    PIXPRESS_RETURN_IF_ERROR(chain.Append(palette_));
    PIXPRESS_RETURN_IF_ERROR(chain.Append(transparency_));
    std::vector<uint8_t> head(chain.size_bytes());
    chain.CopyTo(head.data());
    return head;
  }

  Status Draw() {
    const CanvasPlace& place = control_.place;
    PIXPRESS_ASSIGN_OR_RETURN(std::vector<uint8_t> head, MakeHead());
    ImageInfo info = image_;
    info.width = place.width;
    info.height = place.height;
    PIXPRESS_ASSIGN_OR_RETURN(
        const auto rows, DecodePngInput(std::make_unique<PngFrameInput>(
                                            std::move(head), reader_, has_image_ ? "fdAT" : "IDAT"),
                                        info, limits_, DrawingContext()));
    for (uint32_t y = 0; y < place.height;) {
      Stripe stripe;
      PIXPRESS_RETURN_IF_ERROR(rows->Next(&stripe));
      for (uint32_t i = 0; i < stripe.planes[0].rows; ++i, ++y) {
        DrawRow(converter_.Convert(stripe.planes[0].row(i), place.width), place.y + y);
      }
    }
    return Status();
  }

  // Only of the first frame a part is better than nothing.
  WorkContext DrawingContext() const {
    WorkContext context = context_;
    if (!is_first_) context.salvage = nullptr;
    return context;
  }

  void DrawRow(const uint8_t* rgba, uint32_t y) {
    uint8_t* out = canvas_.row(0, y) + size_t{control_.place.x} * 4;
    if (control_.blend == CanvasBlend::kSource) {
      std::memcpy(out, rgba, size_t{control_.place.width} * 4);
    } else {
      BlendOver(rgba, control_.place.width, out);
    }
  }

  void Clear(const CanvasPlace& place) {
    for (uint32_t y = place.y; y < place.y + place.height; ++y) {
      std::memset(canvas_.row(0, y) + size_t{place.x} * 4, 0, size_t{place.width} * 4);
    }
  }

  void Copy(const CanvasPlace& place, const Image& from, Image* to) const {
    const size_t left = size_t{place.x} * 4;
    for (uint32_t y = place.y; y < place.y + place.height; ++y) {
      std::memcpy(to->row(0, y) + left, from.row(0, y) + left, size_t{place.width} * 4);
    }
  }

  // Of the last frame.
  void Dispose() {
    if (is_first_) return;
    if (control_.disposal == CanvasDisposal::kClear) Clear(control_.place);
    if (control_.disposal == CanvasDisposal::kRestore) Copy(control_.place, saved_, &canvas_);
  }

  Status PrepareDisposal() {
    if (control_.disposal != CanvasDisposal::kRestore) return Status();
    // There is nothing before the first frame.
    if (is_first_) control_.disposal = CanvasDisposal::kClear;
    if (is_first_) return Status();
    if (saved_.layout().width == 0) {
      PIXPRESS_ASSIGN_OR_RETURN(saved_, Image::Create(canvas_.layout(), context_.meter));
    }
    Copy(control_.place, canvas_, &saved_);
    return Status();
  }

  const AnimationInfo info_;
  const ImageInfo image_;
  PngChunkReader reader_;
  const Limits limits_;
  const WorkContext context_;
  Bytes header_;  // The data of IHDR.
  Bytes palette_;
  Bytes transparency_;
  bool has_image_ = false;  // IDAT was passed.
  RowConverter converter_;
  Image canvas_;
  Image saved_;  // For kRestore, made when first needed.
  PngFrameControl control_;
  bool is_first_ = true;
};

}  // namespace

uint64_t PngFramesMemoryBytes(const ImageInfo& info) {
  const ImageLayout canvas = CanvasLayout(info.width, info.height);
  const uint64_t rows = uint64_t{canvas.row_bytes(0)} * 2;
  constexpr uint64_t kHeadBytes = 64u << 10;
  return SaturatingAdd(SaturatingAdd(SaturatingMul(Image::MemoryBytes(canvas), 2), rows + rows / 4),
                       SaturatingAdd(PngDecodeMemoryBytes(info, {}), kHeadBytes));
}

Result<std::unique_ptr<FrameSource>> OpenPngFrames(Bytes encoded, const ImageInfo& info,
                                                   const Limits& limits,
                                                   const WorkContext& context) {
  PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits));
  PIXPRESS_RETURN_IF_ERROR(CheckFrames(info.frames, info.width, info.height, limits));
  if (context.salvage == nullptr) {
    PIXPRESS_RETURN_IF_ERROR(CheckPngFrames(encoded, info, context));
  } else {
    PIXPRESS_ASSIGN_OR_RETURN(encoded, SoundPngFrames(encoded, info, context));
  }
  auto source = std::make_unique<PngFrameSource>(encoded, info, limits, context);
  PIXPRESS_RETURN_IF_ERROR(source->Init());
  return std::unique_ptr<FrameSource>(std::move(source));
}

}  // namespace pixpress
