#pragma once
// Change the color model, alpha or depth of a stream of rows.

#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"

namespace pixpress {

// From gray, RGB, CMYK, or YCbCr 4:4:4 planes, to one plane of gray or RGB. Alpha that `out` does
// not have is blended over `background`.
Result<std::unique_ptr<RowSource>> MakeConvertStep(std::unique_ptr<RowSource> source,
                                                   ImageLayout out, Rgba background,
                                                   const WorkContext& context);

}  // namespace pixpress
