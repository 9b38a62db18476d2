#pragma once
// Find a smaller PNG layout that shows exactly the same pixels.

#include "base/status.h"
#include "image/image.h"
#include "image/work_context.h"

namespace pixpress {

// The same pixels without opaque alpha, without color where all is gray, and as palette indices
// where there are at most 256 colors. 16-bit images and palettes are returned as they are.
Result<Image> ReducePng(Image image, const WorkContext& context);

}  // namespace pixpress
