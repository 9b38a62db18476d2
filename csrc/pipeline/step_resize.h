#pragma once
// Crop, scale and resample planes of a stream of rows.

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"
#include "pipeline/geometry.h"
#include "pipeline/job_spec.h"

namespace pixpress {

// `source` shows the image shrunk by `scale_denominator`; `out` has its color model, depth and
// alpha. Every plane is resampled from its own resolution straight to that of its output plane.
Result<std::unique_ptr<RowSource>> MakeResizeStep(std::unique_ptr<RowSource> source,
                                                  ImageLayout out, const Geometry& geometry,
                                                  uint8_t scale_denominator,
                                                  const Settings& settings,
                                                  const WorkContext& context);
uint64_t ResizeMemoryBytes(const ImageLayout& in, const ImageLayout& out, const Geometry& geometry,
                           uint8_t scale_denominator, const Settings& settings);

}  // namespace pixpress
