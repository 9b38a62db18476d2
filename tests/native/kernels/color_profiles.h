#pragma once
// Color profiles made with lcms2, and what the library makes of pixels by its plain interface.

#include <lcms2.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace pixpress {

inline std::vector<uint8_t> TakeProfile(cmsHPROFILE profile) {
  cmsUInt32Number bytes = 0;
  cmsSaveProfileToMem(profile, nullptr, &bytes);
  std::vector<uint8_t> icc(bytes);
  cmsSaveProfileToMem(profile, icc.data(), &bytes);
  cmsCloseProfile(profile);
  return icc;
}

inline std::vector<uint8_t> SrgbProfile() { return TakeProfile(cmsCreate_sRGBProfile()); }

// The primaries of Display P3 with a plain gamma.
inline std::vector<uint8_t> WideProfile(double gamma = 2.2) {
  const cmsCIExyY white = {0.3127, 0.3290, 1};
  const cmsCIExyYTRIPLE primaries = {{0.680, 0.320, 1}, {0.265, 0.690, 1}, {0.150, 0.060, 1}};
  cmsToneCurve* curve = cmsBuildGamma(nullptr, gamma);
  cmsToneCurve* curves[3] = {curve, curve, curve};
  const cmsHPROFILE profile = cmsCreateRGBProfile(&white, &primaries, curves);
  cmsFreeToneCurve(curve);
  return TakeProfile(profile);
}

inline std::vector<uint8_t> GrayProfile(double gamma) {
  cmsToneCurve* curve = cmsBuildGamma(nullptr, gamma);
  const cmsHPROFILE profile = cmsCreateGrayProfile(cmsD50_xyY(), curve);
  cmsFreeToneCurve(curve);
  return TakeProfile(profile);
}

// One point of the table of the profile below: strange inks, so that the plain formula is far off.
inline cmsInt32Number SampleInk(const cmsUInt16Number in[], cmsUInt16Number out[], void*) {
  std::array<double, 4> ink;
  for (size_t i = 0; i < 4; ++i) ink[i] = in[i] / 65535.0;
  const double paper = std::pow(1 - ink[3], 1.4);
  const cmsCIELab lab = {95 * paper * (1 - 0.3 * ink[0] - 0.4 * ink[1] - 0.1 * ink[2]),
                         70 * paper * (ink[1] - 0.5 * ink[0]),
                         80 * paper * (ink[2] - 0.6 * ink[0])};
  cmsFloat2LabEncodedV2(out, &lab);
  return 1;
}

inline std::vector<uint8_t> CmykProfile(cmsUInt32Number grid_points = 7) {
  const cmsHPROFILE profile = cmsCreateProfilePlaceholder(nullptr);
  cmsSetProfileVersion(profile, 2.1);
  cmsSetDeviceClass(profile, cmsSigOutputClass);
  cmsSetColorSpace(profile, cmsSigCmykData);
  cmsSetPCS(profile, cmsSigLabData);
  cmsPipeline* pipeline = cmsPipelineAlloc(nullptr, 4, 3);
  cmsStage* table = cmsStageAllocCLut16bit(nullptr, grid_points, 4, 3, nullptr);
  cmsStageSampleCLut16bit(table, SampleInk, nullptr, 0);
  cmsPipelineInsertStage(pipeline, cmsAT_END, table);
  cmsWriteTag(profile, cmsSigAToB0Tag, pipeline);
  cmsPipelineFree(pipeline);
  return TakeProfile(profile);
}

// The same pixels through the library, with its own memory.
inline std::vector<uint8_t> PlainConvert(const std::vector<uint8_t>& icc,
                                         const std::vector<uint8_t>& in, cmsUInt32Number in_format,
                                         cmsUInt32Number out_format, size_t out_bytes_per_pixel,
                                         size_t pixels) {
  const cmsHPROFILE from = cmsOpenProfileFromMem(icc.data(), icc.size());
  const cmsHPROFILE srgb = cmsCreate_sRGBProfile();
  const cmsHTRANSFORM transform =
      cmsCreateTransform(from, in_format, srgb, out_format, INTENT_PERCEPTUAL, 0);
  std::vector<uint8_t> out(pixels * out_bytes_per_pixel);
  cmsDoTransform(transform, in.data(), out.data(), static_cast<cmsUInt32Number>(pixels));
  cmsDeleteTransform(transform);
  cmsCloseProfile(srgb);
  cmsCloseProfile(from);
  return out;
}

}  // namespace pixpress
