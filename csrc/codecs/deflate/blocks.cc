#include "codecs/deflate/blocks.h"

#include "codecs/deflate/cost.h"

namespace pixpress {
namespace {

void MeasureWithNext(std::vector<DeflateBlock>* blocks, size_t i) {
  if (i + 1 >= blocks->size()) return;
  DeflateCounts both = (*blocks)[i].counts;
  both.Add((*blocks)[i + 1].counts);
  (*blocks)[i].both_cost = DeflateBlockCost(both);
}

}  // namespace

void UniteDeflateBlocks(std::vector<DeflateBlock>* blocks) {
  for (DeflateBlock& block : *blocks) block.cost = DeflateBlockCost(block.counts);
  for (size_t i = 0; i < blocks->size(); ++i) MeasureWithNext(blocks, i);
  while (blocks->size() > 1) {
    size_t best = 0;
    int64_t most = 0;
    for (size_t i = 0; i + 1 < blocks->size(); ++i) {
      const DeflateBlock& block = (*blocks)[i];
      const uint64_t apart = block.cost + (*blocks)[i + 1].cost;
      const auto saved = static_cast<int64_t>(apart - block.both_cost);
      if (saved <= most) continue;
      most = saved;
      best = i;
    }
    if (most == 0) return;
    DeflateBlock& united = (*blocks)[best];
    const DeflateBlock& next = (*blocks)[best + 1];
    united.end = next.end;
    united.cost = united.both_cost;
    united.counts.Add(next.counts);
    blocks->erase(blocks->begin() + static_cast<ptrdiff_t>(best) + 1);
    MeasureWithNext(blocks, best);
    if (best > 0) MeasureWithNext(blocks, best - 1);
  }
}

}  // namespace pixpress
