#pragma once
// Turn a stream of rows from the colors of its profile into sRGB.

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"
#include "kernels/color_transform.h"

namespace pixpress {

// One-plane pixels of `transform`'s input layout to `out`, which is its output. `transform`
// outlives the step. Null: the pixels stay as they are, but CMYK becomes RGB by a plain formula.
Result<std::unique_ptr<RowSource>> MakeColorStep(std::unique_ptr<RowSource> source, ImageLayout out,
                                                 const ColorTransform* transform,
                                                 const WorkContext& context);

// All the bytes that the step holds, the transform's included.
uint64_t ColorMemoryBytes(const ImageLayout& out);

}  // namespace pixpress
