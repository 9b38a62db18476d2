#include "codecs/gif/decode.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checked_math.h"
#include "codecs/gif/blocks.h"
#include "codecs/gif/canvas.h"
#include "image/image.h"
#include "kernels/convert.h"

namespace pixpress {
namespace {

Status Truncated() { return Status(StatusCode::kCorruptImage, "the GIF file is truncated"); }

// Walks the images of a whole file and composes them.
class FrameReader {
 public:
  FrameReader(Bytes encoded, const Limits& limits, const WorkContext& context)
      : walker_(encoded), limits_(limits), context_(context) {}

  // Up to and with the first image.
  Status Open(const ImageInfo& info) {
    GifScreen screen;
    if (!walker_.ReadScreen(&screen)) return Truncated();
    if (context_.salvage == nullptr) PIXPRESS_RETURN_IF_ERROR(CheckWhole(walker_));
    bool is_end = false;
    PIXPRESS_RETURN_IF_ERROR(NextImage(&is_end));
    if (is_end) return Status(StatusCode::kCorruptImage, "the GIF file has no image");
    info_.width = std::max(screen.width, image_.x + image_.width);
    info_.height = std::max(screen.height, image_.y + image_.height);
    info_.global_table = screen.table;
    info_.background = screen.background;
    info_.has_alpha = image_.transparent.has_value();
    if (info_.width != info.width || info_.height != info.height ||
        info_.has_alpha != info.has_alpha) {
      return Status(StatusCode::kCorruptImage, "the GIF file has changed since it was probed");
    }
    return Status();
  }

  // The next canvas, or null after the last.
  Result<Image*> Next() {
    if (is_end_) return nullptr;
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    PIXPRESS_RETURN_IF_ERROR(CheckGifFrame(image_, info_.width, info_.height, limits_));
    if (canvas_ == nullptr) {
      PIXPRESS_ASSIGN_OR_RETURN(GifCanvas canvas, GifCanvas::Create(info_, context_));
      canvas_ = std::make_unique<GifCanvas>(std::move(canvas));
    }
    PIXPRESS_RETURN_IF_ERROR(canvas_->Draw(image_));
    if (!image_.is_complete && context_.salvage == nullptr) return Truncated();
    delay_ = image_.delay;
    return &canvas_->pixels();
  }
  // To the next image; not asked for where the first is enough.
  Status Advance() { return NextImage(&is_end_); }

  uint16_t delay() const { return delay_; }
  // Of the last canvas.
  const CanvasPlace& changed() const { return canvas_->changed(); }

 private:
  // Damage behind the frames that are asked for is damage too.
  Status CheckWhole(GifWalker rest) const {
    while (true) {
      PIXPRESS_ASSIGN_OR_RETURN(const GifWalker::Kind kind, rest.Next(limits_));
      if (kind == GifWalker::Kind::kCutOff) return Truncated();
      if (kind != GifWalker::Kind::kImage && kind != GifWalker::Kind::kExtension) return Status();
    }
  }

  Status NextImage(bool* is_end) {
    while (true) {
      PIXPRESS_ASSIGN_OR_RETURN(const GifWalker::Kind kind, walker_.Next(limits_));
      if (kind == GifWalker::Kind::kExtension) continue;
      if (kind == GifWalker::Kind::kCutOff) return Truncated();
      *is_end = kind != GifWalker::Kind::kImage;
      if (!*is_end) image_ = walker_.image();
      return Status();
    }
  }

  GifWalker walker_;
  const Limits limits_;
  const WorkContext context_;
  GifCanvasInfo info_;
  GifImage image_;  // To be drawn next.
  bool is_end_ = false;
  uint16_t delay_ = 0;
  std::unique_ptr<GifCanvas> canvas_;
};

class GifFrameSource final : public FrameSource {
 public:
  GifFrameSource(const ImageInfo& info, Bytes encoded, const Limits& limits,
                 const WorkContext& context)
      : info_{info.width, info.height, info.frames, info.loop_count},
        reader_(encoded, limits, context) {}

  Status Open(const ImageInfo& info) { return reader_.Open(info); }
  const AnimationInfo& info() const override { return info_; }

  Status Next(Frame* frame) override {
    if (is_started_) PIXPRESS_RETURN_IF_ERROR(reader_.Advance());
    is_started_ = true;
    PIXPRESS_ASSIGN_OR_RETURN(frame->canvas, reader_.Next());
    frame->duration = {reader_.delay(), 100};
    if (frame->canvas != nullptr) frame->changed = reader_.changed();
    return Status();
  }

 private:
  const AnimationInfo info_;
  FrameReader reader_;
  bool is_started_ = false;
};

// What the walk over the blocks of `head` tells, up to its end.
struct Overview {
  uint64_t images = 0;
  bool is_whole = false;  // The end was seen.
  bool has_loop = false;
};

Result<Overview> LookOver(GifWalker& walker, const GifScreen& screen, const Limits& limits,
                          ImageInfo* info) {
  Overview overview;
  while (true) {
    const auto next = walker.Next(limits);
    if (next.status().code() == StatusCode::kCorruptImage && overview.images > 0) {
      overview.is_whole = true;  // No matter of the header: who decodes will say.
      return overview;
    }
    PIXPRESS_RETURN_IF_ERROR(next.status());
    const GifWalker::Kind kind = next.value();
    if (kind == GifWalker::Kind::kTrailer) overview.is_whole = true;
    if (kind != GifWalker::Kind::kImage && kind != GifWalker::Kind::kExtension) return overview;
    if (kind == GifWalker::Kind::kExtension) {
      const GifExtension& extension = walker.extension();
      if (extension.kind == GifExtension::Kind::kIcc) info->has_icc = true;
      if (extension.kind == GifExtension::Kind::kLoop && !overview.has_loop) {
        overview.has_loop = true;
        info->loop_count = extension.repeat == 0 ? 0 : extension.repeat + 1u;
      }
      continue;
    }
    const GifImage& image = walker.image();
    if (overview.images++ == 0) {
      info->width = std::max(screen.width, image.x + image.width);
      info->height = std::max(screen.height, image.y + image.height);
      info->has_alpha = image.transparent.has_value();
      info->is_progressive = image.is_interlaced;
    }
    PIXPRESS_RETURN_IF_ERROR(CheckGifFrame(image, info->width, info->height, limits));
  }
}

}  // namespace

Result<ImageInfo> ProbeGif(Bytes head, uint64_t total_bytes, const Limits& limits) {
  ImageInfo info;
  info.format = Format::kGif;
  info.planar.plane_count = 0;
  const bool is_all = head.size() >= total_bytes;
  GifWalker walker(head);
  GifScreen screen;
  if (!walker.ReadScreen(&screen)) {
    if (is_all) return Truncated();
    info.needs_more_input = true;
    return info;
  }
  PIXPRESS_ASSIGN_OR_RETURN(const Overview overview, LookOver(walker, screen, limits, &info));
  info.needs_more_input = !overview.is_whole && !is_all;
  if (info.needs_more_input) return info;
  if (overview.images == 0) {
    return Status(StatusCode::kCorruptImage, "the GIF file has no image");
  }
  info.frames = static_cast<uint32_t>(std::min<uint64_t>(overview.images, UINT32_MAX));
  info.is_indexed = true;
  return info;
}

ImageLayout GifDecodedLayout(const ImageInfo& info, const DecodeOptions&) {
  return ImageLayout::Interleaved(info.width, info.height, ColorModel::kRgb, info.has_alpha);
}

uint64_t GifDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options) {
  const uint64_t canvas = GifCanvas::MemoryBytes(info.width, info.height, /*is_animated=*/false);
  if (info.has_alpha) return canvas;
  return SaturatingAdd(canvas, Image::MemoryBytes(GifDecodedLayout(info, options)));
}

Result<std::unique_ptr<RowSource>> DecodeGif(Bytes encoded, const ImageInfo& info,
                                             const DecodeOptions& options, const Limits& limits,
                                             const WorkContext& context) {
  FrameReader reader(encoded, limits, context);
  PIXPRESS_RETURN_IF_ERROR(reader.Open(info));
  PIXPRESS_ASSIGN_OR_RETURN(Image* const canvas, reader.Next());
  if (info.has_alpha) return MakeImageSource(std::move(*canvas), context.stop);
  PIXPRESS_ASSIGN_OR_RETURN(Image opaque,
                            Image::Create(GifDecodedLayout(info, options), context.meter));
  for (uint32_t y = 0; y < info.height; ++y) {
    ConvertChannelsRow(canvas->row(0, y), ColorModel::kRgb, true, ColorModel::kRgb, false, 8,
                       info.width, opaque.row(0, y));
  }
  return MakeImageSource(std::move(opaque), context.stop);
}

uint64_t GifFramesMemoryBytes(const ImageInfo& info) {
  return GifCanvas::MemoryBytes(info.width, info.height, /*is_animated=*/true);
}

Result<std::unique_ptr<FrameSource>> OpenGifFrames(Bytes encoded, const ImageInfo& info,
                                                   const Limits& limits,
                                                   const WorkContext& context) {
  PIXPRESS_RETURN_IF_ERROR(CheckGifFrame(GifImage(), info.width, info.height, limits));
  auto source = std::make_unique<GifFrameSource>(info, encoded, limits, context);
  PIXPRESS_RETURN_IF_ERROR(source->Open(info));
  return std::unique_ptr<FrameSource>(std::move(source));
}

}  // namespace pixpress
