#include "pipeline/output_color.h"

#include <utility>

namespace pixpress {
namespace {

constexpr const char* kPlainCmyk = "; CMYK became RGB by a plain formula";

bool IsHdr(const PngColor& color) {
  constexpr uint8_t kPq = 16, kHlg = 18;  // ITU-T H.273
  return color.cicp.has_value() && ((*color.cicp)[1] == kPq || (*color.cicp)[1] == kHlg);
}

void DropColor(Metadata* metadata) {
  metadata->icc.clear();
  metadata->png_color = PngColor();
}

// Can the profile stay, since it describes the output's pixels as they are?
bool StaysTrue(const Plan& plan, const Metadata& metadata) {
  return plan.decoded.color != ColorModel::kCmyk && plan.output_codec->can_hold_icc &&
         ProfileFits(metadata.icc, plan.encoded_layout().color);
}

std::unique_ptr<ColorTransform> FromChunks(const Plan& plan, Metadata* metadata, Meter& meter,
                                           std::vector<std::string>* warnings) {
  const PngColor color = std::exchange(metadata->png_color, PngColor());
  if (IsHdr(color)) warnings->push_back("the output does not say that the colors are HDR (cICP)");
  if (!DiffersFromSrgb(color)) return nullptr;
  auto made = ColorTransform::FromPngColor(color, plan.decoded, meter);
  if (made.ok()) return std::move(made).value();
  warnings->push_back("the colors of gAMA, cHRM or cICP were not converted: " +
                      made.status().message());
  return nullptr;
}

std::unique_ptr<ColorTransform> FromProfile(const Plan& plan, Metadata* metadata, Meter& meter,
                                            std::vector<std::string>* warnings) {
  auto made = ColorTransform::FromProfile(metadata->icc, plan.decoded, meter);
  if (made.ok()) {
    DropColor(metadata);
    if (made.value()->is_nearly_identity()) return nullptr;
    return std::move(made).value();
  }
  // As a profile of RGB for pixels of gray.
  if (StaysTrue(plan, *metadata)) return nullptr;
  DropColor(metadata);
  const bool is_cmyk = plan.decoded.color == ColorModel::kCmyk;
  warnings->push_back("the ICC profile was dropped: " + made.status().message() +
                      (is_cmyk ? kPlainCmyk : ""));
  return nullptr;
}

}  // namespace

std::unique_ptr<ColorTransform> MakeOutputColor(const Plan& plan, Metadata* metadata, Meter& meter,
                                                std::vector<std::string>* warnings) {
  if (!plan.Has(StepKind::kColor)) {
    if (!metadata->icc.empty() && !StaysTrue(plan, *metadata)) {
      metadata->icc.clear();
      warnings->push_back("the ICC profile was dropped: it is not of the output's colors");
    }
    return nullptr;
  }
  if (!metadata->icc.empty()) return FromProfile(plan, metadata, meter, warnings);
  if (plan.info.has_icc) {
    const bool is_cmyk = plan.decoded.color == ColorModel::kCmyk;
    warnings->push_back(std::string("the ICC profile was dropped: it is incomplete") +
                        (is_cmyk ? kPlainCmyk : ""));
  }
  if (plan.output_codec->format == Format::kPng) return nullptr;
  return FromChunks(plan, metadata, meter, warnings);
}

}  // namespace pixpress
