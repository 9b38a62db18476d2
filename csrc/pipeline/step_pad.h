#pragma once
// Put a stream of rows onto a larger canvas of one color.

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"

namespace pixpress {

// `source` is gray or RGB, with or without alpha; `out` is the same, larger.
Result<std::unique_ptr<RowSource>> MakePadStep(std::unique_ptr<RowSource> source, ImageLayout out,
                                               uint32_t pad_left, uint32_t pad_top, Rgba background,
                                               const WorkContext& context);

}  // namespace pixpress
