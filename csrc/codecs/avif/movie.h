#pragma once
// The movie box of AVIF sequences: what this libavif neither reads nor writes.

#include <cstdint>
#include <span>
#include <vector>

#include "codecs/codec.h"

namespace pixpress {

// How often a sequence is shown, as its edit list says; 0: for ever, also without one.
uint32_t AvifLoopCount(Bytes encoded);

// Take the date out of what libavif wrote. If it wrote no edit list, the movie box is blanked, and
// put into `tail` with one that shows all `loop_count` times; `tail` goes behind the file, where it
// moves nothing that others point to. Nothing is done to a file without a movie box.
Status FinishAvifMovie(uint32_t loop_count, std::span<uint8_t> file, std::vector<uint8_t>* tail);

}  // namespace pixpress
