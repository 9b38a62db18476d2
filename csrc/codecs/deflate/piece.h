#pragma once
// One piece of a deflate stream that others precede and follow, as pigz makes them. A piece that is
// not the last ends on a byte, with an empty stored block.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"

namespace pixpress {

// The most bytes that libdeflate and the function below make of `data_bytes`.
size_t DeflateBound(size_t data_bytes);

// Makes a piece of a whole raw deflate stream: of `stream`, which holds `known_bytes` (at most the
// window) that the pieces before have told, and then `data`. The codes for what is known go; those
// for `data` stay and refer to it. `out` has DeflateBound() bytes of `data`; returns how many were
// made. kInternal if the stream cannot be read.
Result<size_t> TakeDeflatePiece(std::span<const uint8_t> stream, size_t known_bytes,
                                std::span<const uint8_t> data, bool is_last,
                                std::span<uint8_t> out);

}  // namespace pixpress
