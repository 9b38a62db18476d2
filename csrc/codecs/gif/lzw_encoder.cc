#include "codecs/gif/lzw_encoder.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "base/checked_math.h"

namespace pixpress {
namespace {

constexpr uint32_t kEmptySlot = 0xFFFFFFFF;
// Bits of a full table after which its worth is judged.
constexpr uint64_t kWindowBits = 512 * 12;
// Strings that are tried for one code where pixels are free.
constexpr int kMostTries = 64;
constexpr size_t kPixelsPerPoll = 1u << 13;

// Where a string belongs, and the odd number of slots to the next try. What depends on the node
// comes last and is one operation, as every pixel waits for the one before.
struct Probe {
  size_t slot;
  size_t step;
};
Probe ProbeOf(unsigned node, uint8_t index, size_t slots) {
  const uint32_t scattered = (index + 1u) * 2654435761u;
  return {(node ^ scattered >> 19) & (slots - 1), (scattered >> 7 & 63) * 2 + 1};
}

}  // namespace

Result<GifLzwEncoder> GifLzwEncoder::Create(Meter& meter) {
  PIXPRESS_ASSIGN_OR_RETURN(Buffer tables, meter.Allocate(sizeof(Tables)));
  return GifLzwEncoder(std::move(tables));
}

uint64_t GifLzwEncoder::MemoryBytes() { return BufferPool::CapacityFor(sizeof(Tables)); }

uint64_t GifLzwEncoder::OutputBytes(uint64_t pixels) {
  // Codes have at most 12 bits, and every one but the clearing ones stands for a pixel; every 255
  // bytes have a length.
  const uint64_t codes = SaturatingMul(pixels, 3) / 2;
  return SaturatingAdd(codes, codes / 64 + 64);
}

void GifLzwEncoder::ForgetStrings() {
  Tables& tables = *tables_.as<Tables>();
  tables.slots.fill(kEmptySlot);
  tables.oldest.fill(kEmptySlot);
  tables.child.fill(0);
  width_ = code_bits_ + 1u;
  next_code_ = (1u << code_bits_) + 2;
  cycle_bits_ = cycle_pixels_ = window_bits_ = window_pixels_ = 0;
}

Status GifLzwEncoder::Start(uint8_t code_bits, ByteChain* out, GifClearing clearing) {
  assert(code_bits >= 2 && code_bits <= 8);
  out_ = out;
  clearing_ = clearing;
  was_full_ = false;
  code_bits_ = code_bits;
  bits_ = 0;
  bit_count_ = 0;
  block_bytes_ = 0;
  node_ = kNone;
  for (unsigned i = 0; i < 1u << code_bits; ++i) {
    Tables& tables = *tables_.as<Tables>();
    tables.first[i] = tables.last[i] = static_cast<uint8_t>(i);
  }
  ForgetStrings();
  const std::array<uint8_t, 1> head = {code_bits};
  PIXPRESS_RETURN_IF_ERROR(out_->Append(head));
  return EmitCode(1u << code_bits);
}

int GifLzwEncoder::FindChild(int node, uint8_t index) const {
  const Tables& tables = *reinterpret_cast<const Tables*>(tables_.data());
  const uint32_t oldest = tables.oldest[static_cast<size_t>(node)];
  if (oldest >> kMostBits == index) return static_cast<int>(oldest & (kMostCodes - 1));
  if (oldest == kEmptySlot) return kNone;
  const uint32_t key = static_cast<uint32_t>(node) << 8 | index;
  const Probe probe = ProbeOf(static_cast<unsigned>(node), index, kSlots);
  for (size_t slot = probe.slot;; slot = (slot + probe.step) & (kSlots - 1)) {
    const uint32_t entry = tables.slots[slot];
    if (entry == kEmptySlot) return kNone;
    if (entry >> kMostBits == key) return static_cast<int>(entry & (kMostCodes - 1));
  }
}

bool GifLzwEncoder::HasChild(int node) const {
  const Tables& tables = *reinterpret_cast<const Tables*>(tables_.data());
  return tables.oldest[static_cast<size_t>(node)] != kEmptySlot;
}

// The reader's table grows with every string, known here already or not.
void GifLzwEncoder::GrowUnstored() {
  if (next_code_ >= kMostCodes) return;
  if (next_code_ == 1u << width_ && width_ < kMostBits) ++width_;
  ++next_code_;
}

int GifLzwEncoder::AddChild(int node, uint8_t index) {
  if (next_code_ >= kMostCodes) return kNone;
  Tables& tables = *tables_.as<Tables>();
  const int code = static_cast<int>(next_code_);
  uint32_t& oldest = tables.oldest[static_cast<size_t>(node)];
  if (oldest == kEmptySlot) {
    oldest = static_cast<uint32_t>(index) << kMostBits | next_code_;
  } else {
    const uint32_t key = static_cast<uint32_t>(node) << 8 | index;
    const Probe probe = ProbeOf(static_cast<unsigned>(node), index, kSlots);
    size_t slot = probe.slot;
    while (tables.slots[slot] != kEmptySlot) slot = (slot + probe.step) & (kSlots - 1);
    tables.slots[slot] = key << kMostBits | next_code_;
  }
  tables.first[next_code_] = tables.first[static_cast<size_t>(node)];
  tables.last[next_code_] = index;
  tables.sibling[next_code_] = tables.child[static_cast<size_t>(node)];
  tables.child[static_cast<size_t>(node)] = static_cast<uint16_t>(code);
  GrowUnstored();
  return code;
}

// The first bytes that wait, as a sub-block.
Status GifLzwEncoder::FlushBlock() {
  if (block_bytes_ == 0) return Status();
  const size_t bytes = std::min(block_bytes_, kBlockBytes);
  block_[0] = static_cast<uint8_t>(bytes);
  PIXPRESS_RETURN_IF_ERROR(out_->Append({block_.data(), bytes + 1}));
  block_bytes_ -= bytes;
  std::memmove(block_.data() + 1, block_.data() + 1 + bytes, block_bytes_);
  return Status();
}

Status GifLzwEncoder::EmitCode(unsigned code) {
  static_assert(std::endian::native == std::endian::little);
  bits_ |= uint64_t{code} << bit_count_;
  bit_count_ += width_;
  if (bit_count_ < 32) return Status();
  std::memcpy(block_.data() + 1 + block_bytes_, &bits_, 4);
  block_bytes_ += 4;
  bits_ >>= 32;
  bit_count_ -= 32;
  return block_bytes_ < kBlockBytes ? Status() : FlushBlock();
}

// The code of a string of so many pixels; afterwards the table may be empty.
Status GifLzwEncoder::EmitString(int node, size_t pixels) {
  PIXPRESS_RETURN_IF_ERROR(EmitCode(static_cast<unsigned>(node)));
  cycle_bits_ += width_;
  cycle_pixels_ += pixels;
  if (next_code_ < kMostCodes) return Status();
  was_full_ = true;
  if (clearing_ == GifClearing::kWhenBad) {
    window_bits_ += width_;
    window_pixels_ += pixels;
    if (window_bits_ < kWindowBits) return Status();
    const bool does_well = window_bits_ * cycle_pixels_ <= cycle_bits_ * window_pixels_;
    window_bits_ = window_pixels_ = 0;
    if (does_well) return Status();
  }
  PIXPRESS_RETURN_IF_ERROR(EmitCode(1u << code_bits_));
  ForgetStrings();
  return Status();
}

Status GifLzwEncoder::Write(std::span<const uint8_t> indices) {
  size_t at = 0;
  if (node_ == kNone && !indices.empty()) {
    node_ = indices[at++];
    node_pixels_ = 1;
  }
  for (; at < indices.size(); ++at) {
    const uint8_t index = indices[at];
    const int child = FindChild(node_, index);
    if (child != kNone) {
      node_ = child;
      ++node_pixels_;
      continue;
    }
    const bool was_full = next_code_ >= kMostCodes;
    PIXPRESS_RETURN_IF_ERROR(EmitString(node_, node_pixels_));
    // A cleared table has no string that could be continued.
    if (!was_full) AddChild(node_, index);
    node_ = index;
    node_pixels_ = 1;
  }
  return Status();
}

Status GifLzwEncoder::Finish() {
  if (node_ != kNone) {
    PIXPRESS_RETURN_IF_ERROR(EmitCode(static_cast<unsigned>(node_)));
    GrowUnstored();
  }
  PIXPRESS_RETURN_IF_ERROR(EmitCode((1u << code_bits_) + 1));
  std::memcpy(block_.data() + 1 + block_bytes_, &bits_, 4);
  block_bytes_ += (bit_count_ + 7) / 8;
  while (block_bytes_ > 0) PIXPRESS_RETURN_IF_ERROR(FlushBlock());
  constexpr std::array<uint8_t, 1> kTerminator = {0};
  return out_->Append(kTerminator);
}

// Depth first through the strings that the pixels from `at` on allow.
GifLzwEncoder::Match GifLzwEncoder::LongestMatch(const Choice& choice, size_t at) const {
  struct Branch {
    int node;
    size_t end;
    uint8_t first;
  };
  std::array<Branch, 64> branches;
  size_t count = 0;
  branches[count++] = {choice.indices[at], at + 1, choice.indices[at]};
  // Of equally long strings the one with more of the free index, which fits in more places.
  const uint8_t free_index = static_cast<uint8_t>(choice.free_index);
  if (choice.IsFree(at)) branches[count++] = {free_index, at + 1, free_index};
  Match best;
  for (int tries = 0; count > 0 && tries < kMostTries;) {
    Branch branch = branches[--count];
    for (; branch.end < choice.indices.size() && HasChild(branch.node); ++branch.end, ++tries) {
      const int own = FindChild(branch.node, choice.indices[branch.end]);
      const int other = choice.IsFree(branch.end) ? FindChild(branch.node, free_index) : kNone;
      if (own == kNone && other == kNone) break;
      if (own != kNone && other != kNone && count < branches.size()) {
        branches[count++] = {own, branch.end + 1, branch.first};
      }
      branch.node = other != kNone ? other : own;
    }
    ++tries;
    if (branch.end - at > best.length) best = {branch.node, branch.end - at, branch.first, {}};
  }
  return best;
}

Status GifLzwEncoder::WriteWithChoice(std::span<const uint8_t> indices,
                                      std::span<const uint8_t> free, int free_index,
                                      const GifLoss& loss, const StopToken& stop) {
  const Choice choice{indices, free, free_index, loss};
  const Tables& tables = *tables_.as<Tables>();
  size_t polled_at = 0;
  GifColorError error = {};
  int last = kNone;  // The last string, to be continued by the first index of the next one.
  for (size_t at = 0; at < indices.size();) {
    if (at - polled_at >= kPixelsPerPoll) {
      PIXPRESS_RETURN_IF_ERROR(stop.Poll());
      polled_at = at;
    }
    Match match = loss.is_none() ? LongestMatch(choice, at) : BestLossyMatch(choice, at, error);
    error = match.error;
    if (last != kNone) {
      const int code = AddChild(last, match.first);
      // The string that is being made may be the next one already: runs grow that way.
      const size_t end = at + match.length;
      if (code != kNone && match.node == last && tables.first[last] == match.first &&
          end < indices.size() && choice.Allows(end, match.first)) {
        match.node = code;
        ++match.length;
      }
    }
    const bool was_full = next_code_ >= kMostCodes;
    at += match.length;
    if (at == indices.size()) {
      node_ = match.node;  // Finish() writes the last string.
      return Status();
    }
    PIXPRESS_RETURN_IF_ERROR(EmitString(match.node, match.length));
    last = was_full ? kNone : match.node;
  }
  return Status();
}

}  // namespace pixpress
