#pragma once
// The codec of GIF, run with its promises about memory checked each time.

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codecs/codec.h"
#include "codecs/gif/bytes.h"
#include "image/image.h"

namespace pixpress {

// A canvas as text: r, g, b and w for the colors of GifBytes, k for black, . for transparent.
inline std::vector<std::string> Drawn(const Image& canvas) {
  std::vector<std::string> rows;
  for (uint32_t y = 0; y < canvas.layout().height; ++y) {
    std::string row;
    for (uint32_t x = 0; x < canvas.layout().width; ++x) {
      const uint8_t* p = canvas.row(0, y) + x * 4;
      const int bits = (p[0] != 0) | (p[1] != 0) << 1 | (p[2] != 0) << 2;
      row += p[3] == 0 ? '.' : "krg?b??w"[bits];
    }
    rows.push_back(row);
  }
  return rows;
}

using Rows = std::vector<std::string>;

class GifTest : public testing::Test {
 protected:
  struct Shown {
    std::vector<Image> canvases;
    std::vector<FrameDuration> durations;
    AnimationInfo info;
  };

  Result<ImageInfo> Probe(const std::vector<uint8_t>& gif) {
    return kGifCodec.probe(gif, gif.size(), limits_);
  }

  Image Copy(const Image& from) {
    Image copy = Image::Create(from.layout(), meter_).value();
    for (uint32_t y = 0; y < from.layout().height; ++y) {
      std::memcpy(copy.row(0, y), from.row(0, y), from.layout().row_bytes(0));
    }
    return copy;
  }

  Result<Shown> Play(const std::vector<uint8_t>& gif) {
    PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo info, Probe(gif));
    PIXPRESS_ASSIGN_OR_RETURN(const auto source,
                              kGifCodec.open_frames(gif, info, limits_, context_));
    Shown shown;
    shown.info = source->info();
    while (true) {
      Frame frame;
      const size_t copies = meter_.current_bytes();
      PIXPRESS_RETURN_IF_ERROR(source->Next(&frame));
      EXPECT_LE(meter_.current_bytes() - copies, kGifCodec.frames_memory_bytes(info));
      if (frame.canvas == nullptr) return shown;
      shown.canvases.push_back(Copy(*frame.canvas));
      shown.durations.push_back(frame.duration);
    }
  }

  std::vector<Rows> PlayDrawn(const std::vector<uint8_t>& gif) {
    auto shown = Play(gif);
    EXPECT_TRUE(shown.ok()) << shown.status().message();
    std::vector<Rows> drawn;
    if (!shown.ok()) return drawn;
    for (const Image& canvas : shown.value().canvases) drawn.push_back(Drawn(canvas));
    return drawn;
  }

  StatusCode PlayCode(const std::vector<uint8_t>& gif) { return Play(gif).status().code(); }

  std::vector<uint8_t> Encode(std::vector<Image> canvases,
                              const std::vector<FrameDuration>& durations, uint32_t loop_count,
                              const EncodeOptions& options = {}, const Metadata& metadata = {}) {
    const ImageLayout layout = canvases.front().layout();
    const AnimationInfo info{layout.width, layout.height, static_cast<uint32_t>(canvases.size()),
                             loop_count};
    BufferPool pool(1 << 20);
    Meter meter(pool);
    const WorkContext context{.meter = meter, .stop = {}, .parallel = parallel_};
    ByteChain out(meter);
    const auto sink = kGifCodec.start_animation(info, options, metadata, context, &out);
    EXPECT_TRUE(sink.ok()) << sink.status().message();
    for (size_t i = 0; i < canvases.size(); ++i) {
      const Status status = sink.value()->Add(std::move(canvases[i]), durations[i]);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    EXPECT_TRUE(sink.value()->Finish().ok());
    EXPECT_LE(meter.peak_bytes(), kGifCodec.animation_memory_bytes(info, options));
    std::vector<uint8_t> bytes(out.size_bytes());
    out.CopyTo(bytes.data());
    return bytes;
  }

  BufferPool pool_{1 << 20};
  Meter meter_{pool_};
  SerialParallel parallel_;
  const WorkContext context_{.meter = meter_, .stop = {}, .parallel = parallel_};
  Limits limits_;
};

}  // namespace pixpress
