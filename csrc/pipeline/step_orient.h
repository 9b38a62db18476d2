#pragma once
// Turn and mirror pixels as an EXIF orientation says.

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"

namespace pixpress {

// The image of `source` as a viewer shows it under `orientation`, 2 to 8. Pulls the whole source.
Result<std::unique_ptr<RowSource>> MakeOrientStep(std::unique_ptr<RowSource> source,
                                                  uint8_t orientation, ImageLayout out,
                                                  const WorkContext& context);
uint64_t OrientMemoryBytes(const ImageLayout& in);

}  // namespace pixpress
