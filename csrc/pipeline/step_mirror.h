#pragma once
// Continue an image by its mirror images.

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"

namespace pixpress {

// What MakeMirrorStep holds for an image of `layout`, itself included; 0 if it has such sides.
uint64_t MirrorMemoryBytes(const ImageLayout& layout, uint32_t least_side);

// `source`, which has one plane, repeated to the right and downwards until no side is shorter than
// `least_side`, every second time the other way round, so that no edge comes up. As it is if it has
// such sides; else it is read to its end at once.
Result<std::unique_ptr<RowSource>> MakeMirrorStep(std::unique_ptr<RowSource> source,
                                                  uint32_t least_side, const WorkContext& context);

}  // namespace pixpress
