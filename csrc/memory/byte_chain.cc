#include "memory/byte_chain.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace pixpress {
namespace {

constexpr uint64_t kSmallestChunk = 64u << 10;
constexpr uint64_t kLargestChunk = 1u << 20;

}  // namespace

Status ByteChain::CheckLimit(uint64_t more_bytes) {
  if (size_bytes_ <= most_bytes_ && more_bytes <= most_bytes_ - size_bytes_) return Status();
  is_beyond_limit_ = true;
  return Status(StatusCode::kLimitExceeded, "the output is larger than it may be");
}

Status ByteChain::Append(std::span<const uint8_t> bytes) {
  PIXPRESS_RETURN_IF_ERROR(CheckLimit(bytes.size()));
  while (!bytes.empty()) {
    PIXPRESS_ASSIGN_OR_RETURN(const std::span<uint8_t> space, Reserve(1));
    const size_t count = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), count);
    Commit(count);
    bytes = bytes.subspan(count);
  }
  return Status();
}

Status ByteChain::Append(ByteChain&& other) {
  PIXPRESS_RETURN_IF_ERROR(CheckLimit(other.size_bytes_));
  std::ranges::move(other.chunks_, std::back_inserter(chunks_));
  size_bytes_ += other.size_bytes_;
  other.Clear();
  return Status();
}

Status ByteChain::Prepend(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return Status();
  Chunk chunk;
  PIXPRESS_ASSIGN_OR_RETURN(chunk.buffer, meter_->Allocate(bytes.size()));
  std::memcpy(chunk.buffer.data(), bytes.data(), bytes.size());
  chunk.used_bytes = bytes.size();
  chunks_.insert(chunks_.begin(), std::move(chunk));
  size_bytes_ += bytes.size();
  return Status();
}

Result<std::span<uint8_t>> ByteChain::Reserve(size_t minimum_bytes) {
  minimum_bytes = std::max<size_t>(minimum_bytes, 1);
  if (chunks_.empty() || chunks_.back().buffer.size() - chunks_.back().used_bytes < minimum_bytes) {
    // Grows with the chain, so that little is wasted at any length.
    const auto wanted = std::clamp(size_bytes_ / 2, kSmallestChunk, kLargestChunk);
    Chunk chunk;
    PIXPRESS_ASSIGN_OR_RETURN(
        chunk.buffer, meter_->Allocate(std::max(minimum_bytes, static_cast<size_t>(wanted))));
    chunks_.push_back(std::move(chunk));
  }
  Chunk& last = chunks_.back();
  return last.buffer.span().subspan(last.used_bytes);
}

void ByteChain::Commit(size_t used_bytes) {
  if (used_bytes == 0) return;
  assert(!chunks_.empty());
  assert(used_bytes <= chunks_.back().buffer.size() - chunks_.back().used_bytes);
  chunks_.back().used_bytes += used_bytes;
  size_bytes_ += used_bytes;
}

void ByteChain::Clear() {
  chunks_.clear();
  size_bytes_ = 0;
}

std::vector<std::span<const uint8_t>> ByteChain::chunks() const {
  std::vector<std::span<const uint8_t>> spans;
  spans.reserve(chunks_.size());
  for (const Chunk& chunk : chunks_) {
    if (chunk.used_bytes > 0) spans.push_back(chunk.buffer.span().first(chunk.used_bytes));
  }
  return spans;
}

void ByteChain::CopyTo(uint8_t* out) const {
  for (const Chunk& chunk : chunks_) {
    if (chunk.used_bytes == 0) continue;
    std::memcpy(out, chunk.buffer.data(), chunk.used_bytes);
    out += chunk.used_bytes;
  }
}

}  // namespace pixpress
