#pragma once
// Pieces of an image that are read while the ones before are requantized and coded.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "codecs/jpeg/piece.h"

namespace pixpress {

// Reads one batch at a time into one of two places, so that the pieces of the batch before stay
// valid. Begin, all tasks, and Finish, which the owner sees to in this order.
class JpegReadAhead {
 public:
  virtual ~JpegReadAhead() = default;
  // How many tasks the next batch has; 0 if the image has been read. What the trellis knows now is
  // what rows before `end_row` are to be chosen by.
  virtual Result<size_t> Begin(uint32_t end_row) = 0;
  // Thread-safe for different tasks.
  virtual Status Run(size_t task) = 0;
  // The pieces of the batch, in order; there may be none. False if the data is not in order.
  virtual Result<bool> Finish(std::vector<JpegPiece>* pieces) = 0;
};

}  // namespace pixpress
