#pragma once
// Requantizes the DC coefficients of an image so that their differences take fewer bits.

#include <cstdint>

#include "codecs/jpeg/image_tokens.h"
#include "image/work_context.h"

namespace pixpress {

// What is held meanwhile, of all components of an image whose rows of MCUs have so many blocks.
uint64_t JpegDcTrellisBytes(uint64_t row_blocks);

// Changes levels of a component by 1 at most, in the order in which a scan of all components codes
// them. Polls for a stop per row. Thread-safe for different components.
Status ChooseJpegDc(const WorkContext& context, size_t component, JpegImageTokens* image);

}  // namespace pixpress
