#include "codecs/deflate/literals.h"

#include <algorithm>
#include <vector>

#include "codecs/deflate/blocks.h"
#include "codecs/deflate/code.h"
#include "kernels/png_filter.h"

namespace pixpress {
namespace {

// What blocks are made of: so many bytes, or more where there would be too many.
constexpr size_t kUnitBytes = 8u << 10;
constexpr size_t kMostUnits = 64;

DeflateCounts CountBytes(std::span<const uint8_t> data) {
  // Four tables, so that runs of one value do not wait for themselves.
  std::array<std::array<uint32_t, 256>, 4> counts = {};
  size_t i = 0;
  for (; i + 4 <= data.size(); i += 4) {
    for (size_t k = 0; k < 4; ++k) ++counts[k][data[i + k]];
  }
  for (; i < data.size(); ++i) ++counts[0][data[i]];
  DeflateCounts sums;
  for (size_t value = 0; value < 256; ++value) {
    for (const auto& table : counts) sums.symbols[value] += table[value];
  }
  return sums;
}

std::vector<DeflateBlock> Units(std::span<const uint8_t> data) {
  const size_t unit_bytes = std::max(kUnitBytes, data.size() / kMostUnits + 1);
  std::vector<DeflateBlock> units;
  for (size_t begin = 0; begin < data.size(); begin += unit_bytes) {
    const size_t end = std::min(begin + unit_bytes, data.size());
    units.push_back({begin, end, CountBytes(data.subspan(begin, end - begin))});
  }
  return units;
}

}  // namespace

Result<size_t> DeflateLiterals(std::span<const uint8_t> data, bool is_last, const StopToken& stop,
                               std::span<uint8_t> out) {
  std::vector<DeflateBlock> blocks = Units(data);
  UniteDeflateBlocks(&blocks);
  DeflateBits bits(out);
  for (DeflateBlock& block : blocks) {
    PIXPRESS_RETURN_IF_ERROR(stop.Poll());
    block.counts.symbols[kEndOfBlock] = 1;
    const DeflateCode code(block.counts);
    code.PutHeader(is_last && &block == &blocks.back(), &bits);
    code.PutLiterals(data.subspan(block.begin, block.end - block.begin), &bits);
    code.PutEnd(&bits);
  }
  return bits.End(is_last);
}

size_t LeastLiteralBytes(std::span<const uint8_t> data) {
  uint64_t bits = 0;  // In 1/256.
  for (size_t at = 0; at < data.size(); at += 2 * kUnitBytes) {
    bits += PngRowCost::Entropy(data.data() + at, std::min(2 * kUnitBytes, data.size() - at));
  }
  return static_cast<size_t>(bits / (8 * 256));
}

}  // namespace pixpress
