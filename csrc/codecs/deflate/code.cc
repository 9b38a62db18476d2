#include "codecs/deflate/code.h"

#include <algorithm>

namespace pixpress {
namespace {

constexpr uint32_t kMostStepBits = 7;
// Of the code lengths: the last one again, a few zeros, many zeros.
constexpr uint8_t kAgain = 16;
constexpr uint8_t kZeros = 17;
constexpr uint8_t kManyZeros = 18;
constexpr size_t kLeastAgain = 3, kMostAgain = 6;
constexpr size_t kLeastZeros = 3, kMostZeros = 10;
constexpr size_t kLeastManyZeros = 11, kMostManyZeros = 138;

uint32_t ExtraBitsOf(uint8_t step) {
  return step == kAgain ? 2 : step == kZeros ? 3 : step == kManyZeros ? 7 : 0;
}

struct Leaf {
  uint32_t count;
  uint16_t symbol;
};

// How many leaves of a Huffman tree are at each depth; those too deep count for the deepest.
std::array<uint32_t, kMostCodeBits + 1> CountDepths(std::span<const Leaf> leaves,
                                                    uint32_t most_bits) {
  // Leaves in order, then inner nodes in the order of their making, which is that of their counts.
  std::array<uint64_t, 2 * kDeflateSymbols> weight;
  std::array<uint16_t, 2 * kDeflateSymbols> parent;
  const size_t count = leaves.size();
  for (size_t i = 0; i < count; ++i) weight[i] = leaves[i].count;
  size_t leaf = 0, inner = count;
  for (size_t node = count; node < 2 * count - 1; ++node) {
    weight[node] = 0;
    for (int child = 0; child < 2; ++child) {
      const bool is_leaf = leaf < count && (inner >= node || weight[leaf] <= weight[inner]);
      const size_t taken = is_leaf ? leaf++ : inner++;
      weight[node] += weight[taken];
      parent[taken] = static_cast<uint16_t>(node);
    }
  }
  std::array<uint16_t, 2 * kDeflateSymbols> depth;
  depth[2 * count - 2] = 0;
  std::array<uint32_t, kMostCodeBits + 1> depths = {};
  for (size_t node = 2 * count - 2; node-- > 0;) {
    depth[node] = static_cast<uint16_t>(depth[parent[node]] + 1);
    if (node < count) ++depths[std::min<uint32_t>(depth[node], most_bits)];
  }
  return depths;
}

// Moves leaves down until the code is one again.
void LimitDepths(uint32_t most_bits, std::array<uint32_t, kMostCodeBits + 1>* depths) {
  uint64_t used = 0;
  for (uint32_t bits = 1; bits <= most_bits; ++bits) {
    used += uint64_t{(*depths)[bits]} << (most_bits - bits);
  }
  for (; used > uint64_t{1} << most_bits; --used) {
    uint32_t bits = most_bits - 1;
    while ((*depths)[bits] == 0) --bits;
    --(*depths)[bits];
    (*depths)[bits + 1] += 2;
    --(*depths)[most_bits];
  }
}

void MakeCodes(std::span<const uint8_t> lengths, std::span<uint16_t> codes) {
  std::array<uint32_t, kMostCodeBits + 2> next = {};
  for (const uint8_t length : lengths) ++next[length + 1u];
  next[1] = 0;
  for (uint32_t bits = 1; bits <= kMostCodeBits; ++bits) next[bits + 1] += next[bits];
  // Places in the order of lengths become codes.
  std::array<uint32_t, kMostCodeBits + 1> first = {};
  uint32_t code = 0;
  for (uint32_t bits = 1; bits <= kMostCodeBits; ++bits) {
    first[bits] = code;
    code = (code + next[bits + 1] - next[bits]) << 1;
  }
  for (size_t i = 0; i < lengths.size(); ++i) {
    codes[i] = 0;
    if (lengths[i] == 0) continue;
    uint32_t bits = first[lengths[i]]++;
    for (uint32_t k = 0; k < lengths[i]; ++k, bits >>= 1) {
      codes[i] = static_cast<uint16_t>(codes[i] << 1 | (bits & 1));
    }
  }
}

}  // namespace

void MakeHuffmanCode(std::span<const uint32_t> counts, uint32_t most_bits,
                     std::span<uint8_t> lengths, std::span<uint16_t> codes) {
  std::array<Leaf, kDeflateSymbols> leaves;
  size_t used = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    lengths[i] = 0;
    if (counts[i] > 0) leaves[used++] = {counts[i], static_cast<uint16_t>(i)};
  }
  const auto order = [](Leaf a, Leaf b) {
    return a.count != b.count ? a.count < b.count : a.symbol < b.symbol;
  };
  std::sort(leaves.begin(), leaves.begin() + used, order);
  if (used == 1) lengths[leaves[0].symbol] = 1;
  if (used > 1) {
    auto depths = CountDepths({leaves.data(), used}, most_bits);
    LimitDepths(most_bits, &depths);
    size_t leaf = 0;
    for (uint32_t bits = most_bits; bits > 0; --bits) {
      for (uint32_t i = 0; i < depths[bits]; ++i) {
        lengths[leaves[leaf++].symbol] = static_cast<uint8_t>(bits);
      }
    }
  }
  MakeCodes(lengths, codes);
}

DeflateCode::DeflateCode(const DeflateCounts& counts) {
  MakeHuffmanCode(counts.symbols, kMostCodeBits, std::span(symbol_bits_).first(kDeflateSymbols),
                  std::span(symbol_codes_).first(kDeflateSymbols));
  // Old decoders want two distances at least.
  DeflateCounts padded = counts;
  for (size_t i = 0, used = 0; i < 2; ++i) {
    used = static_cast<size_t>(std::count_if(padded.distances.begin(), padded.distances.end(),
                                             [](uint32_t count) { return count > 0; }));
    if (used < 2 && padded.distances[i] == 0) padded.distances[i] = 1;
  }
  MakeHuffmanCode(padded.distances, kMostCodeBits, distance_bits_, distance_codes_);
  while (symbols_ > kFirstLengthSymbol && symbol_bits_[symbols_ - 1] == 0) --symbols_;
  while (distances_ > 1 && distance_bits_[distances_ - 1] == 0) --distances_;
  MakeHeader();
  data_bits_ = BitsOf(counts);
  const uint64_t dynamic_bits = block_bits();
  DeflateCode fixed(*this);
  fixed.UseFixed();
  fixed.data_bits_ = fixed.BitsOf(counts);
  if (fixed.block_bits() <= dynamic_bits) *this = fixed;
}

// The codes that need no header.
void DeflateCode::UseFixed() {
  is_fixed_ = true;
  header_bits_ = 3;
  for (size_t i = 0; i < symbol_bits_.size(); ++i) symbol_bits_[i] = FixedSymbolBits(i);
  distance_bits_.fill(kFixedDistanceBits);
  MakeCodes(symbol_bits_, symbol_codes_);
  MakeCodes(distance_bits_, distance_codes_);
}

uint64_t DeflateCode::BitsOf(const DeflateCounts& counts) const {
  uint64_t bits = 0;
  for (size_t i = 0; i < counts.symbols.size(); ++i) {
    const uint32_t extra =
        i < kFirstLengthSymbol ? 0u : kLengthSlots.extra_bits[i - kFirstLengthSymbol];
    bits += uint64_t{counts.symbols[i]} * (symbol_bits_[i] + extra);
  }
  for (uint32_t i = 0; i < counts.distances.size(); ++i) {
    bits += uint64_t{counts.distances[i]} * (distance_bits_[i] + DistanceExtraBits(i));
  }
  return bits;
}

void DeflateCode::MakeHeader() {
  std::array<uint8_t, kDeflateSymbols + kDistanceSymbols> lengths = {};
  size_t count = 0;
  for (size_t i = 0; i < symbols_; ++i) lengths[count++] = symbol_bits_[i];
  for (size_t i = 0; i < distances_; ++i) lengths[count++] = distance_bits_[i];
  for (size_t at = 0, end = 0; at < count; at = end) {
    while (end < count && lengths[end] == lengths[at]) ++end;
    AddRun(lengths[at], end - at);
  }
  std::array<uint32_t, kStepSymbols> uses = {};
  for (size_t i = 0; i < step_count_; ++i) ++uses[steps_[i].symbol];
  MakeHuffmanCode(uses, kMostStepBits, step_bits_, step_codes_);
  while (step_lengths_ > 4 && step_bits_[kStepOrder[step_lengths_ - 1]] == 0) --step_lengths_;
  header_bits_ = 3 + 14 + 3 * step_lengths_;
  for (size_t i = 0; i < kStepSymbols; ++i) {
    header_bits_ += uint64_t{uses[i]} * (step_bits_[i] + ExtraBitsOf(static_cast<uint8_t>(i)));
  }
}

void DeflateCode::AddRun(uint8_t length, size_t count) {
  if (length > 0) {
    steps_[step_count_++] = {length, 0};
    --count;
  }
  while (count > 0) {
    uint8_t symbol = length;
    size_t least = 1, taken = 1;
    if (length > 0 && count >= kLeastAgain) {
      symbol = kAgain, least = kLeastAgain, taken = std::min(count, kMostAgain);
    } else if (length == 0 && count >= kLeastManyZeros) {
      symbol = kManyZeros, least = kLeastManyZeros, taken = std::min(count, kMostManyZeros);
    } else if (length == 0 && count >= kLeastZeros) {
      symbol = kZeros, least = kLeastZeros, taken = std::min(count, kMostZeros);
    }
    steps_[step_count_++] = {symbol, static_cast<uint8_t>(taken - least)};
    count -= taken;
  }
}

void DeflateCode::PutHeader(bool is_last, DeflateBits* out) const {
  out->Put(is_last ? 1 : 0, 1);
  out->Put(is_fixed_ ? kFixedBlock : kDynamicBlock, 2);
  if (is_fixed_) return;
  out->Put(static_cast<uint32_t>(symbols_ - kFirstLengthSymbol), 5);
  out->Put(static_cast<uint32_t>(distances_ - 1), 5);
  out->Put(static_cast<uint32_t>(step_lengths_ - 4), 4);
  for (size_t i = 0; i < step_lengths_; ++i) out->Put(step_bits_[kStepOrder[i]], 3);
  for (size_t i = 0; i < step_count_; ++i) {
    const Step step = steps_[i];
    out->Put(step_codes_[step.symbol], step_bits_[step.symbol]);
    out->Put(step.extra, ExtraBitsOf(step.symbol));
  }
}

void DeflateCode::PutLiterals(std::span<const uint8_t> data, DeflateBits* out) const {
  constexpr size_t kAtOnce = 3;  // Of 15 bits at most each.
  size_t i = 0;
  for (; i + kAtOnce <= data.size(); i += kAtOnce) {
    uint64_t bits = 0;
    uint32_t count = 0;
    for (size_t k = 0; k < kAtOnce; ++k) {
      bits |= uint64_t{symbol_codes_[data[i + k]]} << count;
      count += symbol_bits_[data[i + k]];
    }
    out->PutMany(bits, count);
  }
  for (; i < data.size(); ++i) PutSymbol(data[i], out);
}

void DeflateCode::Put(DeflateToken token, DeflateBits* out) const {
  if (token.length == 0) return PutSymbol(token.distance, out);
  const size_t slot = kLengthSlots.of_length[token.length];
  PutSymbol(kFirstLengthSymbol + slot, out);
  out->Put(token.length - uint32_t{kLengthSlots.base[slot]}, kLengthSlots.extra_bits[slot]);
  const uint32_t distance = DistanceSlot(token.distance);
  out->Put(distance_codes_[distance], distance_bits_[distance]);
  out->Put(token.distance - DistanceBase(distance), DistanceExtraBits(distance));
}

}  // namespace pixpress
