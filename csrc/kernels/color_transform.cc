#include "kernels/color_transform.h"

#include <lcms2.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/color_memory.h"

namespace pixpress {
namespace {

constexpr double kPngUnit = 100000.0;  // gAMA and cHRM hold numbers times this.
constexpr double kSrgbGamma = 0.45455;
constexpr double kGammaTolerance = 0.05;   // Relative; libpng's.
constexpr double kChromaTolerance = 0.01;  // libpng's.

struct CloseProfile {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
struct FreeCurve {
  void operator()(cmsToneCurve* curve) const { cmsFreeToneCurve(curve); }
};
struct DeleteTransform {
  void operator()(void* transform) const { cmsDeleteTransform(transform); }
};
using Profile = std::unique_ptr<void, CloseProfile>;
using Curve = std::unique_ptr<cmsToneCurve, FreeCurve>;

// White point and primaries, as x and y, in the order of cHRM.
using Chromaticities = std::array<double, 8>;
constexpr Chromaticities kBt709 = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
constexpr Chromaticities kBt2020 = {0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046};
constexpr Chromaticities kDisplayP3 = {0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060};

// What the chunks of a PNG say, with sRGB for what they leave open.
struct Encoding {
  Chromaticities chroma = kBt709;
  std::optional<double> gamma;  // The exponent of decoding; none is the curve of sRGB.
};

// ITU-T H.273, as far as it is what still images use. None for anything else, HDR too.
std::optional<Encoding> FromCicp(const std::array<uint8_t, 4>& cicp) {
  constexpr uint8_t kRgbMatrix = 0, kFullRange = 1;
  if (cicp[2] != kRgbMatrix || cicp[3] != kFullRange) return std::nullopt;
  Encoding encoding;
  switch (cicp[0]) {
    case 1:
      break;
    case 9:
      encoding.chroma = kBt2020;
      break;
    case 12:
      encoding.chroma = kDisplayP3;
      break;
    default:
      return std::nullopt;
  }
  switch (cicp[1]) {
    case 1:  // Those of video, which displays show by a gamma of 2.4.
    case 6:
    case 14:
    case 15:
      encoding.gamma = 2.4;
      return encoding;
    case 4:
      encoding.gamma = 2.2;
      return encoding;
    case 5:
      encoding.gamma = 2.8;
      return encoding;
    case 8:
      encoding.gamma = 1.0;
      return encoding;
    case 13:
      return encoding;
    default:
      return std::nullopt;
  }
}

bool IsPlausible(const Chromaticities& chroma) {
  for (size_t i = 0; i < chroma.size(); i += 2) {
    const double x = chroma[i], y = chroma[i + 1];
    if (!(x >= 0 && y > 0.001 && x + y <= 1.5)) return false;
  }
  return true;
}

bool IsNear(const Chromaticities& a, const Chromaticities& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::abs(a[i] - b[i]) > kChromaTolerance) return false;
  }
  return true;
}

// None if nothing usable is said, or nothing but sRGB.
std::optional<Encoding> OtherThanSrgb(const PngColor& color) {
  if (color.cicp.has_value()) {
    const auto encoding = FromCicp(*color.cicp);
    if (!encoding.has_value()) return std::nullopt;
    const bool is_srgb = IsNear(encoding->chroma, kBt709) && !encoding->gamma.has_value();
    return is_srgb ? std::nullopt : encoding;
  }
  if (color.srgb_intent.has_value()) return std::nullopt;
  Encoding encoding;
  bool differs = false;
  if (color.gamma.has_value()) {
    const double gamma = *color.gamma / kPngUnit;
    if (gamma < 0.1 || gamma > 10) return std::nullopt;
    if (std::abs(gamma / kSrgbGamma - 1) > kGammaTolerance) {
      encoding.gamma = 1 / gamma;
      differs = true;
    }
  }
  if (color.chroma.has_value()) {
    Chromaticities chroma;
    for (size_t i = 0; i < 8; ++i) chroma[i] = (*color.chroma)[i] / kPngUnit;
    if (IsPlausible(chroma) && !IsNear(chroma, kBt709)) {
      encoding.chroma = chroma;
      differs = true;
    }
  }
  if (!differs) return std::nullopt;
  return encoding;
}

Curve MakeCurve(cmsContext lcms, const std::optional<double>& gamma) {
  if (gamma.has_value()) return Curve(cmsBuildGamma(lcms, *gamma));
  const cmsFloat64Number srgb[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  return Curve(cmsBuildParametricToneCurve(lcms, 4, srgb));
}

Profile MakeProfile(cmsContext lcms, const Encoding& encoding, bool is_gray) {
  const Curve curve = MakeCurve(lcms, encoding.gamma);
  if (curve == nullptr) return nullptr;
  if (is_gray) return Profile(cmsCreateGrayProfileTHR(lcms, cmsD50_xyY(), curve.get()));
  const Chromaticities& c = encoding.chroma;
  const cmsCIExyY white = {c[0], c[1], 1};
  const cmsCIExyYTRIPLE primaries = {{c[2], c[3], 1}, {c[4], c[5], 1}, {c[6], c[7], 1}};
  cmsToneCurve* curves[3] = {curve.get(), curve.get(), curve.get()};
  return Profile(cmsCreateRGBProfileTHR(lcms, &white, &primaries, curves));
}

Profile MakeSrgb(cmsContext lcms, bool is_gray) {
  return is_gray ? MakeProfile(lcms, Encoding(), true) : Profile(cmsCreate_sRGBProfileTHR(lcms));
}

cmsUInt32Number LcmsFormat(ColorModel color, bool has_alpha, uint8_t bits) {
  const cmsUInt32Number extra = EXTRA_SH(has_alpha ? 1 : 0) | BYTES_SH(bits / 8);
  switch (color) {
    case ColorModel::kGray:
      return extra | COLORSPACE_SH(PT_GRAY) | CHANNELS_SH(1);
    case ColorModel::kCmyk:
      return extra | COLORSPACE_SH(PT_CMYK) | CHANNELS_SH(4);
    default:
      return extra | COLORSPACE_SH(PT_RGB) | CHANNELS_SH(3);
  }
}

class LcmsTransform final : public ColorTransform {
 public:
  explicit LcmsTransform(Meter& meter) : memory_(meter, kColorTransformBytes) {}

  Status Init(const Profile& from, const ImageLayout& in) {
    const bool is_gray = in.color == ColorModel::kGray;
    const Profile srgb = MakeSrgb(memory_.lcms(), is_gray);
    if (from == nullptr || srgb == nullptr) return Useless();
    const ColorModel out = is_gray ? ColorModel::kGray : ColorModel::kRgb;
    transform_.reset(cmsCreateTransformTHR(
        memory_.lcms(), from.get(), LcmsFormat(in.color, in.has_alpha, in.bits), srgb.get(),
        LcmsFormat(out, in.has_alpha, in.bits), INTENT_PERCEPTUAL,
        in.has_alpha ? cmsFLAGS_COPY_ALPHA : 0));
    if (transform_ == nullptr) return Useless();
    is_nearly_identity_ = in.color != ColorModel::kCmyk && ChangesLittle(in);
    return Status();
  }
  cmsContext lcms() const { return memory_.lcms(); }

  bool is_nearly_identity() const override { return is_nearly_identity_; }
  void ConvertRow(const uint8_t* in, size_t pixels, uint8_t* out) const override {
    cmsDoTransform(transform_.get(), in, out, static_cast<cmsUInt32Number>(pixels));
  }

 private:
  // Tries colors of a coarse grid.
  template <typename Sample>
  bool ChangesLittle(size_t color_channels, size_t channels) const {
    constexpr size_t kSteps = 9, kPixels = kSteps * kSteps * kSteps;
    constexpr int kMost = std::numeric_limits<Sample>::max(), kSmall = kMost / 255;
    std::vector<Sample> in(kPixels * channels, kMost), out(in.size(), kMost);
    for (size_t i = 0; i < kPixels; ++i) {
      size_t rest = i;
      for (size_t c = 0; c < color_channels; ++c, rest /= kSteps) {
        in[i * channels + c] = static_cast<Sample>(rest % kSteps * kMost / (kSteps - 1));
      }
    }
    cmsDoTransform(transform_.get(), in.data(), out.data(), kPixels);
    for (size_t i = 0; i < in.size(); ++i) {
      if (std::abs(int{in[i]} - int{out[i]}) > kSmall) return false;
    }
    return true;
  }
  bool ChangesLittle(const ImageLayout& in) const {
    const size_t channels = in.planes[0].channels, colors = channels - in.has_alpha;
    return in.bits == 16 ? ChangesLittle<uint16_t>(colors, channels)
                         : ChangesLittle<uint8_t>(colors, channels);
  }

  Status Useless() const {
    if (memory_.was_refused()) {
      return Status(StatusCode::kUnsupportedFormat, "it needs more memory than is allowed for it");
    }
    return Status(StatusCode::kCorruptImage, "it is damaged, or of a kind that is not supported");
  }

  ColorMemory memory_;  // Outlives the transform.
  std::unique_ptr<void, DeleteTransform> transform_;
  bool is_nearly_identity_ = false;
};

}  // namespace

bool ProfileFits(std::span<const uint8_t> icc, ColorModel color) {
  constexpr size_t kColorSpaceOffset = 16;
  if (icc.size() < kColorSpaceOffset + 4) return false;
  const std::string_view space(reinterpret_cast<const char*>(icc.data()) + kColorSpaceOffset, 4);
  if (color == ColorModel::kGray) return space == "GRAY";
  return space == (color == ColorModel::kCmyk ? "CMYK" : "RGB ");
}

bool DiffersFromSrgb(const PngColor& color) { return OtherThanSrgb(color).has_value(); }

std::string ColorLibraryVersion() {
  const int version = cmsGetEncodedCMMversion();  // 2140 is 2.14.
  return "lcms2 " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

Result<std::unique_ptr<ColorTransform>> ColorTransform::FromProfile(std::span<const uint8_t> icc,
                                                                    const ImageLayout& in,
                                                                    Meter& meter) {
  if (icc.size() > kMaxProfileBytes) {
    return Status(StatusCode::kUnsupportedFormat,
                  "it has " + std::to_string(icc.size()) + " bytes; at most " +
                      std::to_string(kMaxProfileBytes) + " are read");
  }
  if (!ProfileFits(icc, in.color)) {
    return Status(StatusCode::kCorruptImage, "it is not of the image's colors");
  }
  auto made = std::make_unique<LcmsTransform>(meter);
  if (made->lcms() == nullptr) return Status(StatusCode::kMemoryLimit, "lcms2 has no memory");
  const Profile from(
      cmsOpenProfileFromMemTHR(made->lcms(), icc.data(), static_cast<cmsUInt32Number>(icc.size())));
  PIXPRESS_RETURN_IF_ERROR(made->Init(from, in));
  return std::unique_ptr<ColorTransform>(std::move(made));
}

Result<std::unique_ptr<ColorTransform>> ColorTransform::FromPngColor(const PngColor& color,
                                                                     const ImageLayout& in,
                                                                     Meter& meter) {
  const auto encoding = OtherThanSrgb(color);
  if (!encoding.has_value()) {
    return Status(StatusCode::kInternal, "the color chunks say nothing but sRGB");
  }
  auto made = std::make_unique<LcmsTransform>(meter);
  if (made->lcms() == nullptr) return Status(StatusCode::kMemoryLimit, "lcms2 has no memory");
  const Profile from = MakeProfile(made->lcms(), *encoding, in.color == ColorModel::kGray);
  PIXPRESS_RETURN_IF_ERROR(made->Init(from, in));
  return std::unique_ptr<ColorTransform>(std::move(made));
}

}  // namespace pixpress
