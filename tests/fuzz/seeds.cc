#include "seeds.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "codecs/codec.h"
#include "image/exif.h"
#include "image/image.h"
#include "memory/buffer.h"
#include "memory/meter.h"

namespace pixpress {
namespace {

constexpr uint32_t kWidth = 45;
constexpr uint32_t kHeight = 33;

void MustBe(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "a seed cannot be made: %s\n", status.message().c_str());
  std::abort();
}

// Metadata of every kind that a format may carry.
Metadata SomeMetadata() {
  Metadata metadata;
  metadata.orientation = 6;
  ExifSummary summary;
  summary.orientation = 6;
  metadata.exif = BuildExif(summary);
  metadata.icc.assign(200, 'p');
  constexpr std::array<char, 4> kRgb = {'R', 'G', 'B', ' '};
  std::copy(kRgb.begin(), kRgb.end(), metadata.icc.begin() + 16);
  metadata.xmp.assign(60, 'x');
  metadata.comments.emplace_back("a comment");
  metadata.png_texts.push_back({"tEXt", {'K', 0, 'v'}});
  metadata.density = Density{300, 300, Density::Unit::kPerInch};
  return metadata;
}

class SeedMaker {
 public:
  explicit SeedMaker(const Codec& codec) : codec_(codec) {}

  // Of the layout nearest to `asked` that the format can hold.
  void AddStill(const std::string& name, const ImageLayout& asked, const EncodeOptions& options,
                const Metadata& metadata) {
    const Image image = Picture(codec_.accepted_layout(asked, options), 0);
    const auto rows = MakeImageView(image, {});
    ByteChain out(meter_);
    const Status status = codec_.encode(*rows, options, metadata, context_, &out);
    if (options.lossless && status.code() == StatusCode::kOption) return;  // GIF with alpha.
    MustBe(status);
    Add(name, out);
  }

  void AddAnimation(const std::string& name, const EncodeOptions& options,
                    const Metadata& metadata) {
    if (codec_.start_animation == nullptr) return;
    const AnimationInfo animation = {kWidth, kHeight, 4, 0};
    ByteChain out(meter_);
    auto sink = codec_.start_animation(animation, options, metadata, context_, &out);
    MustBe(sink.status());
    for (uint32_t i = 0; i < animation.frames; ++i) {
      const auto layout = ImageLayout::Interleaved(kWidth, kHeight, ColorModel::kRgb, true);
      const Status status = sink.value()->Add(Picture(layout, i), FrameDuration{7, 100});
      if (options.lossless && status.code() == StatusCode::kOption) return;  // As above.
      MustBe(status);
    }
    MustBe(sink.value()->Finish());
    Add(name, out);
  }

  std::vector<Seed> Take() { return std::move(seeds_); }

 private:
  // Smooth in places and not in others, with a little transparency.
  Image Picture(ImageLayout layout, uint32_t frame) {
    auto made = Image::Create(layout, meter_);
    MustBe(made.status());
    Image image = std::move(made).value();
    if (layout.color == ColorModel::kIndexed) {
      image.mutable_layout().palette = {{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 128}};
    }
    for (size_t p = 0; p < layout.plane_count; ++p) {
      for (uint32_t y = 0; y < layout.planes[p].height; ++y) {
        for (size_t i = 0; i < layout.row_bytes(p); ++i) {
          const size_t value = i < layout.row_bytes(p) / 2 ? i + 3 * y + 40 * frame : i * y * y;
          image.row(p, y)[i] =
              static_cast<uint8_t>(layout.color == ColorModel::kIndexed ? value / 8 % 3 : value);
        }
      }
    }
    return image;
  }

  // Where a format cannot hold what was asked, the file is one that is there already.
  void Add(const std::string& name, const ByteChain& out) {
    std::vector<uint8_t> bytes(out.size_bytes());
    out.CopyTo(bytes.data());
    for (const Seed& seed : seeds_) {
      if (seed.bytes == bytes) return;
    }
    seeds_.push_back({std::string(codec_.name) + " " + name, std::move(bytes)});
  }

  const Codec& codec_;
  BufferPool pool_{0};
  Meter meter_{pool_};
  SerialParallel parallel_;
  const WorkContext context_{.meter = meter_, .stop = {}, .parallel = parallel_};
  std::vector<Seed> seeds_;
};

void AddOwnKinds(SeedMaker& maker) {
  const auto pixels = [](ColorModel color, bool has_alpha, uint8_t bits) {
    return ImageLayout::Interleaved(kWidth, kHeight, color, has_alpha, bits);
  };
  EncodeOptions plain;
  plain.progressive = Progressive::kOff;
  EncodeOptions progressive;
  progressive.progressive = Progressive::kOn;
  progressive.effort = 8;
  EncodeOptions lossless;
  lossless.lossless = true;
  const std::array<std::pair<std::string, EncodeOptions>, 3> ways = {
      {{"plain", plain}, {"progressive", progressive}, {"lossless", lossless}}};
  for (const auto& [way, options] : ways) {
    maker.AddStill(way + " RGB with metadata", pixels(ColorModel::kRgb, false, 8), options,
                   SomeMetadata());
    maker.AddStill(way + " RGBA", pixels(ColorModel::kRgb, true, 8), options, Metadata());
    maker.AddStill(way + " gray", pixels(ColorModel::kGray, false, 8), options, Metadata());
    maker.AddStill(way + " YCbCr", ImageLayout::Ycbcr(kWidth, kHeight, 2, 2), options, Metadata());
  }
  maker.AddStill("RGBA of 16 bits", pixels(ColorModel::kRgb, true, 16), plain, Metadata());
  maker.AddStill("palette", pixels(ColorModel::kIndexed, false, 8), plain, Metadata());
  maker.AddAnimation("animation", plain, Metadata());
  maker.AddAnimation("lossless animation with metadata", lossless, SomeMetadata());
}

std::vector<Seed> PlainSeeds(Format format) {
  switch (format) {
    case Format::kJpeg:
      return PlainJpegSeeds();
    case Format::kPng:
      return PlainPngSeeds();
    case Format::kGif:
      return PlainGifSeeds();
    case Format::kWebp:
      return PlainWebpSeeds();
#ifdef PIXPRESS_AVIF
    case Format::kAvif:
      return PlainAvifSeeds();
#endif
    default:
      return {};
  }
}

}  // namespace

std::vector<Seed> FuzzSeeds(std::string_view format_name) {
  std::vector<Seed> seeds;
  for (const Codec* codec : AllCodecs()) {
    if (codec->encode == nullptr || (format_name != "all" && format_name != codec->name)) continue;
    SeedMaker maker(*codec);
    AddOwnKinds(maker);
    for (Seed& seed : maker.Take()) seeds.push_back(std::move(seed));
    for (Seed& seed : PlainSeeds(codec->format)) seeds.push_back(std::move(seed));
  }
  return seeds;
}

}  // namespace pixpress
