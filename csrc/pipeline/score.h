#pragma once
// How much the rows of one image look like those of another.

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/row_source.h"
#include "image/work_context.h"

namespace pixpress {

// What ScoreRows holds beside the sources, for two images of these sides.
uint64_t ScoreMemoryBytes(uint32_t width, uint32_t height);

// The SSIMULACRA2 of two images of one size, read to their ends: one plane each of gray, RGB or
// CMYK, with or without alpha, 8 or 16 bits. Values are taken as sRGB. Where one has alpha, it is
// the lower one of the scores over a dark and over a light background, as the metric has it.
Result<double> ScoreRows(std::unique_ptr<RowSource> reference, std::unique_ptr<RowSource> distorted,
                         const WorkContext& context);

}  // namespace pixpress
