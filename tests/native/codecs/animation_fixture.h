#pragma once
// The animations of a codec, with its promises about memory checked each time.

#include <cstring>
#include <utility>
#include <vector>

#include "codecs/codec_fixture.h"

namespace pixpress {

// A canvas as RGBA, row by row, every transparent pixel 0.
using Canvas = std::vector<std::array<uint8_t, 4>>;

class AnimationTest : public CodecTest {
 protected:
  using CodecTest::CodecTest;

  struct Shown {
    std::vector<Canvas> canvases;
    std::vector<FrameDuration> durations;
    uint32_t loop_count = 0;
  };

  static Canvas Flatten(const Image& image) {
    Canvas canvas;
    for (uint32_t y = 0; y < image.layout().height; ++y) {
      for (uint32_t x = 0; x < image.layout().width; ++x) {
        std::array<uint8_t, 4> pixel;
        std::memcpy(pixel.data(), image.row(0, y) + size_t{x} * 4, 4);
        canvas.push_back(pixel[3] == 0 ? std::array<uint8_t, 4>{} : pixel);
      }
    }
    return canvas;
  }

  Result<Shown> Play(Bytes bytes) {
    PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo info, codec_.probe(bytes, bytes.size(), limits_));
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel_};
    PIXPRESS_ASSIGN_OR_RETURN(const auto source, codec_.open_frames(bytes, info, limits_, context));
    Shown shown;
    shown.loop_count = source->info().loop_count;
    while (true) {
      Frame frame;
      PIXPRESS_RETURN_IF_ERROR(source->Next(&frame));
      EXPECT_LE(meter.peak_bytes(), codec_.frames_memory_bytes(info));
      if (frame.canvas == nullptr) return shown;
      shown.canvases.push_back(Flatten(*frame.canvas));
      shown.durations.push_back(frame.duration);
    }
  }
  StatusCode PlayCode(Bytes bytes) { return Play(bytes).status().code(); }

  Image ImageOf(const Canvas& canvas, uint32_t width) {
    const auto height = static_cast<uint32_t>(canvas.size() / width);
    Image image =
        Image::Create(ImageLayout::Interleaved(width, height, ColorModel::kRgb, true), meter_)
            .value();
    for (size_t i = 0; i < canvas.size(); ++i) {
      std::memcpy(image.row(0, static_cast<uint32_t>(i / width)) + i % width * 4, canvas[i].data(),
                  4);
    }
    return image;
  }

  ByteVector EncodeAnimation(const std::vector<Canvas>& canvases, uint32_t width,
                             const std::vector<FrameDuration>& durations, uint32_t loop_count,
                             const EncodeOptions& options = {}, const Metadata& metadata = {}) {
    const AnimationInfo info{width, static_cast<uint32_t>(canvases.front().size() / width),
                             static_cast<uint32_t>(canvases.size()), loop_count};
    Meter meter(pool_);
    const WorkContext context{meter, context_.stop, parallel_};
    ByteChain out(meter);
    const auto sink = codec_.start_animation(info, options, metadata, context, &out);
    EXPECT_TRUE(sink.ok()) << sink.status().message();
    for (size_t i = 0; i < canvases.size(); ++i) {
      const Status status = sink.value()->Add(ImageOf(canvases[i], width), durations[i]);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    const Status status = sink.value()->Finish();
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_LE(meter.peak_bytes(), codec_.animation_memory_bytes(info, options));
    return Flat(out);
  }
};

// Sprites that move over a background that may be transparent, and a frame that stands still.
inline std::vector<Canvas> MovingCanvases(uint32_t width, uint32_t height, size_t count,
                                          bool is_opaque) {
  std::vector<Canvas> canvases;
  for (size_t i = 0; i < count; ++i) {
    Canvas canvas(size_t{width} * height);
    for (uint32_t y = 0; y < height; ++y) {
      for (uint32_t x = 0; x < width; ++x) {
        auto& pixel = canvas[size_t{y} * width + x];
        if (is_opaque) {
          pixel = {static_cast<uint8_t>(x * 7), static_cast<uint8_t>(y * 5), 90, 255};
        }
        if (x >= i * 3 && x < i * 3 + 5 && y >= i && y < i + 4) {
          pixel = {static_cast<uint8_t>(x * 31 + i), static_cast<uint8_t>(y * 17), 200,
                   static_cast<uint8_t>(is_opaque || x % 2 == 0 ? 255 : 60 + y * 20)};
        }
      }
    }
    canvases.push_back(std::move(canvas));
  }
  return canvases;
}

}  // namespace pixpress
