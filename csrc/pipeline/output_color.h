#pragma once
// What becomes of the colors of an image, and of what its file says about them.

#include <memory>
#include <string>
#include <vector>

#include "image/metadata.h"
#include "kernels/color_transform.h"
#include "memory/meter.h"
#include "pipeline/plan.h"

namespace pixpress {

// The transform for the plan's step kColor; null where pixels stay as they are. Clears of
// `metadata` what will not be true of the output. A profile that cannot be used is a warning, never
// a failure.
std::unique_ptr<ColorTransform> MakeOutputColor(const Plan& plan, Metadata* metadata, Meter& meter,
                                                std::vector<std::string>* warnings);

}  // namespace pixpress
