#pragma once
// Reduce a stream of RGB rows to palette indices.

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"
#include "pipeline/job_spec.h"

namespace pixpress {

// `source` is RGB or RGBA of 8 bits. Pulls all of it; the palette is in the step's layout.
Result<std::unique_ptr<RowSource>> MakeQuantizeStep(std::unique_ptr<RowSource> source,
                                                    const Settings& settings,
                                                    const WorkContext& context);
uint64_t QuantizeMemoryBytes(const ImageLayout& in);

}  // namespace pixpress
