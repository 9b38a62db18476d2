#include "pipeline/encode_options.h"

namespace pixpress {
namespace {

// Below this quality the coarse chroma of 4:2:0 is not what limits what one sees.
constexpr int kFineChromaQuality = 90;
struct ChromaSampling {
  uint8_t h = 2;
  uint8_t v = 2;
};

ChromaSampling ChooseChroma(int quality, const Settings& settings, const ImageInfo& info) {
  switch (settings.subsampling) {
    case Subsampling::k444:
      return {1, 1};
    case Subsampling::k422:
      return {2, 1};
    case Subsampling::k420:
      return {2, 2};
    case Subsampling::kAuto:
      break;
  }
  if (quality < kFineChromaQuality) return {2, 2};
  const ImageLayout& planar = info.planar;
  if (planar.plane_count != 3) return {1, 1};
  // Never finer than the source: its detail is gone already.
  const auto ratio = [](uint8_t most, uint8_t own) {
    return static_cast<uint8_t>(most >= 2 * own ? 2 : 1);
  };
  return {ratio(planar.max_h_samples(), planar.planes[1].h_samples),
          ratio(planar.max_v_samples(), planar.planes[1].v_samples)};
}

}  // namespace

EncodeOptions MakeEncodeOptions(const JobSpec& spec, const ImageInfo& info) {
  const Settings& settings = *spec.settings;
  EncodeOptions options;
  // Whoever stores an array of their own expects its type and its values back.
  options.keeps_bits = spec.source.kind == Source::Kind::kPixels && spec.source.imported == nullptr;
  options.effort = settings.effort;
  options.lossless = settings.lossless;
  options.progressive = settings.progressive;
  options.near_lossless = settings.near_lossless;
  options.alpha_quality = settings.alpha_quality;
  options.colors = settings.colors == 0 ? 256 : settings.colors;
  options.dither = settings.dither;
  options.expert = settings.expert;
  return WithQuality(options, settings.quality, settings, info);
}

EncodeOptions WithQuality(EncodeOptions options, int quality, const Settings& settings,
                          const ImageInfo& info) {
  const ChromaSampling chroma = ChooseChroma(quality, settings, info);
  options.quality = quality;
  options.chroma_h = chroma.h;
  options.chroma_v = chroma.v;
  return options;
}

}  // namespace pixpress
