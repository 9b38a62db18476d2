#pragma once
// The tokens of many rows, in chunks, up to a limit.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codecs/jpeg/tokens.h"
#include "memory/meter.h"

namespace pixpress {

// Used by one thread; the meter outlives it.
class JpegTokenStore {
 public:
  // `row_tokens` is the most that is committed at a time.
  JpegTokenStore(size_t row_tokens, Meter& meter) : row_tokens_(row_tokens), meter_(meter) {}
  // The most bytes that a store holds which is emptied as soon as it is_full(most_bytes).
  static uint64_t MemoryBytes(size_t row_tokens, uint64_t most_bytes);

  // Where to write up to row_tokens to.
  Result<JpegToken*> Reserve();
  // Everything from Reserve's result up to `end` is kept.
  void Commit(const JpegToken* end);
  // Is there no more room for a row within `most_bytes`?
  bool is_full(uint64_t most_bytes) const;

  // What was committed, row by row; valid until Clear.
  std::vector<std::span<const JpegToken>> rows() const;
  // Forget all tokens but keep a chunk's memory.
  void Clear() {
    if (chunks_.size() > 1) chunks_.resize(1);
    if (!chunks_.empty()) chunks_[0].used = 0;
    if (!chunks_.empty()) chunks_[0].ends.clear();
  }

 private:
  struct Chunk {
    Buffer buffer;
    size_t used = 0;           // In tokens.
    std::vector<size_t> ends;  // Of rows.
  };
  size_t chunk_tokens() const;

  const size_t row_tokens_;
  Meter& meter_;
  std::vector<Chunk> chunks_;
};

}  // namespace pixpress
