#pragma once
// Requantizes the DC coefficients of an image so that their differences take fewer bits.

#include <cstdint>

#include "codecs/jpeg/image_tokens.h"
#include "image/work_context.h"

namespace pixpress {

// What is held meanwhile, of an image whose rows of MCUs have so many blocks.
uint64_t JpegDcTrellisBytes(uint64_t row_blocks);

// Changes levels by 1 at most, in the order in which a scan of all components codes them. Polls for
// a stop per row.
Status ChooseJpegDc(const WorkContext& context, JpegImageTokens* image);

}  // namespace pixpress
