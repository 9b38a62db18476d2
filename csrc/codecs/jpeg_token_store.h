#pragma once
// The tokens of many rows, in chunks, up to a limit.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codecs/jpeg_tokens.h"
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

  // Give all tokens to `use`, chunk by chunk, and forget them but keep a chunk's memory.
  template <typename Use>
  Status Drain(const Use& use) {
    for (const Chunk& chunk : chunks_) {
      const auto* tokens = reinterpret_cast<const JpegToken*>(chunk.buffer.data());
      PIXPRESS_RETURN_IF_ERROR(use(std::span<const JpegToken>(tokens, chunk.used)));
    }
    Clear();
    return Status();
  }
  // Forget all tokens but keep a chunk's memory.
  void Clear() {
    if (chunks_.size() > 1) chunks_.resize(1);
    if (!chunks_.empty()) chunks_[0].used = 0;
  }

 private:
  struct Chunk {
    Buffer buffer;
    size_t used = 0;  // In tokens.
  };
  size_t chunk_tokens() const;

  const size_t row_tokens_;
  Meter& meter_;
  std::vector<Chunk> chunks_;
};

}  // namespace pixpress
