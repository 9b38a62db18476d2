#include "codecs/jpeg/token_store.h"

#include <algorithm>
#include <utility>

namespace pixpress {
namespace {

constexpr size_t kChunkTokens = 1 << 20;

size_t ChunkTokens(size_t row_tokens) { return std::max(kChunkTokens, row_tokens); }

}  // namespace

size_t JpegTokenStore::chunk_tokens() const { return ChunkTokens(row_tokens_); }

uint64_t JpegTokenStore::MemoryBytes(size_t row_tokens, uint64_t most_bytes) {
  const uint64_t chunk_bytes = BufferPool::CapacityFor(ChunkTokens(row_tokens) * sizeof(JpegToken));
  return std::max<uint64_t>(most_bytes / chunk_bytes, 1) * chunk_bytes;
}

Result<JpegToken*> JpegTokenStore::Reserve() {
  if (chunks_.empty() || chunk_tokens() - chunks_.back().used < row_tokens_) {
    Chunk chunk;
    PIXPRESS_ASSIGN_OR_RETURN(chunk.buffer, meter_.Allocate(chunk_tokens() * sizeof(JpegToken)));
    chunks_.push_back(std::move(chunk));
  }
  return chunks_.back().buffer.as<JpegToken>() + chunks_.back().used;
}

void JpegTokenStore::Commit(const JpegToken* end) {
  Chunk& chunk = chunks_.back();
  chunk.used = static_cast<size_t>(end - chunk.buffer.as<JpegToken>());
  chunk.ends.push_back(chunk.used);
}

std::vector<std::span<const JpegToken>> JpegTokenStore::rows() const {
  std::vector<std::span<const JpegToken>> rows;
  for (const Chunk& chunk : chunks_) {
    const auto* const tokens = reinterpret_cast<const JpegToken*>(chunk.buffer.data());
    size_t begin = 0;
    for (const size_t end : chunk.ends) {
      rows.emplace_back(tokens + begin, end - begin);
      begin = end;
    }
  }
  return rows;
}

bool JpegTokenStore::is_full(uint64_t most_bytes) const {
  if (chunks_.empty() || chunk_tokens() - chunks_.back().used >= row_tokens_) return false;
  const uint64_t chunk_bytes = BufferPool::CapacityFor(chunk_tokens() * sizeof(JpegToken));
  return (chunks_.size() + 1) * chunk_bytes > most_bytes;
}

}  // namespace pixpress
