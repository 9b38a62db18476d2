#pragma once
// What a frame of a lossy GIF need not draw, as what is shown already is near enough.

#include <cstdint>

#include "codecs/canvas_difference.h"
#include "codecs/gif/loss.h"

namespace pixpress {

// Replaces pixels of `next`, GifColor()s as many as those of `shown`, by what is shown where `loss`
// allows it; the two differ only in `changed`. Within blocks that stand still but for noise or
// little. Where things move, pixels that happen to be alike are left alone: together they would
// show what was there before.
void KeepStillBlocks(const GifLoss& loss, CanvasPixels shown, const CanvasPlace& changed,
                     uint32_t* next);

}  // namespace pixpress
