#include "codecs/deflate/thorough.h"

#include <algorithm>
#include <vector>

#include "base/checked_math.h"
#include "codecs/deflate/blocks.h"
#include "codecs/deflate/code.h"
#include "codecs/deflate/cost.h"
#include "codecs/deflate/path.h"

namespace pixpress {
namespace {

// Blocks are made of so many tokens at first.
constexpr size_t kUnitTokens = 700;

std::vector<DeflateBlock> Units(const DeflatePath& path, size_t bytes) {
  std::vector<DeflateBlock> units;
  size_t tokens = 0, at = 0;
  path.ForEach(0, bytes, [&](DeflateToken token) {
    if (tokens++ % kUnitTokens == 0) units.push_back({.begin = at});
    DeflateBlock& unit = units.back();
    unit.counts.Add(token);
    at += std::max<size_t>(token.length, 1);
    unit.end = at;
  });
  return units;
}

// Chooses the tokens of a block again and again, and writes the best ones: those it has without.
void PutBlock(const DeflateBlock& block, int passes, bool is_last, DeflatePath* path,
              DeflateBits* out) {
  DeflateCounts counts = block.counts;
  counts.symbols[kEndOfBlock] = 1;
  DeflateCosts best_costs;
  uint64_t least_bits = ~uint64_t{0}, bits = 0;
  for (int pass = 0; pass < passes; ++pass) {
    const DeflateCosts costs(counts);
    counts = path->Choose(block.begin, block.end, costs);
    bits = DeflateCode(counts).block_bits();
    if (bits >= least_bits) continue;
    least_bits = bits;
    best_costs = costs;
  }
  if (bits > least_bits) counts = path->Choose(block.begin, block.end, best_costs);
  const DeflateCode code(counts);
  code.PutHeader(is_last, out);
  path->ForEach(block.begin, block.end, [&](DeflateToken token) { code.Put(token, out); });
  code.PutEnd(out);
}

}  // namespace

Result<size_t> DeflateThoroughly(std::span<const uint8_t> data, size_t known_bytes,
                                 size_t period_bytes, const DeflateEffort& effort, bool is_last,
                                 const StopToken& stop, Meter& meter, std::span<uint8_t> out) {
  PIXPRESS_ASSIGN_OR_RETURN(
      const DeflateMatches matches,
      DeflateMatches::Find(data, known_bytes, period_bytes, effort.search, stop, meter));
  DeflatePath path(data, matches);
  PIXPRESS_RETURN_IF_ERROR(path.Init(meter));
  path.Choose(0, data.size(), DeflateCosts(path.CountLongest()));
  std::vector<DeflateBlock> blocks = Units(path, data.size());
  UniteDeflateBlocks(&blocks);
  DeflateBits bits(out);
  for (size_t i = 0; i < blocks.size(); ++i) {
    PIXPRESS_RETURN_IF_ERROR(stop.Poll());
    PutBlock(blocks[i], effort.passes, is_last && i + 1 == blocks.size(), &path, &bits);
  }
  return bits.End(is_last);
}

uint64_t DeflateThoroughlyMemoryBytes(size_t data_bytes, size_t known_bytes) {
  const uint64_t units = data_bytes / kUnitTokens + 1;
  const uint64_t blocks = SaturatingMul(2 * units, sizeof(DeflateBlock));  // As the list grows.
  return SaturatingAdd(blocks, DeflateMatches::MemoryBytes(data_bytes, known_bytes) +
                                   DeflatePath::MemoryBytes(data_bytes));
}

}  // namespace pixpress
