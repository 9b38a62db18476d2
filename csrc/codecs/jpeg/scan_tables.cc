#include "codecs/jpeg/scan_tables.h"

#include <algorithm>

namespace pixpress {
namespace {

constexpr size_t kSlots = 4;  // For tables of DC, and for those of AC.

// Uses that have one table.
struct Group {
  JpegSymbolCounts counts = {};
  uint64_t bits = 0;
  bool is_dc = false;
  size_t first_scan = 0;
  size_t last_scan = 0;
  std::vector<std::pair<size_t, size_t>> uses;  // Scan, and which of its tables.
};

Group Merged(const Group& a, const Group& b) {
  Group merged = a;
  for (size_t i = 0; i < merged.counts.size(); ++i) merged.counts[i] += b.counts[i];
  merged.bits = JpegTableBits(merged.counts);
  merged.first_scan = std::min(a.first_scan, b.first_scan);
  merged.last_scan = std::max(a.last_scan, b.last_scan);
  merged.uses.insert(merged.uses.end(), b.uses.begin(), b.uses.end());
  return merged;
}

std::vector<Group> GroupOfEach(const JpegScanScript& script,
                               std::span<const JpegScanSymbols> symbols) {
  std::vector<Group> groups;
  for (size_t s = 0; s < script.size(); ++s) {
    for (size_t t = 0; t < symbols[s].counts.size(); ++t) {
      const JpegSymbolCounts& counts = symbols[s].counts[t];
      if (std::ranges::count(counts, 0u) == static_cast<int>(counts.size())) continue;
      groups.push_back({counts, JpegTableBits(counts), script[s].is_dc(), s, s, {{s, t}}});
    }
  }
  return groups;
}

// Would more tables be needed at a time than there are slots, with `merged` in place of two others?
bool Overflows(const std::vector<Group>& groups, const Group& merged, size_t a, size_t b) {
  for (size_t s = merged.first_scan; s <= merged.last_scan; ++s) {
    size_t needed = 1;
    for (size_t g = 0; g < groups.size(); ++g) {
      const bool is_other = g != a && g != b && groups[g].is_dc == merged.is_dc;
      needed += is_other && groups[g].first_scan <= s && s <= groups[g].last_scan ? 1 : 0;
    }
    if (needed > kSlots) return true;
  }
  return false;
}

// Merge the two groups that save most by it. False if none do.
bool MergeBest(std::vector<Group>& groups) {
  uint64_t most = 0;
  size_t best_a = 0, best_b = 0;
  Group best;
  for (size_t a = 0; a < groups.size(); ++a) {
    for (size_t b = a + 1; b < groups.size(); ++b) {
      if (groups[a].is_dc != groups[b].is_dc) continue;
      Group merged = Merged(groups[a], groups[b]);
      const uint64_t apart = groups[a].bits + groups[b].bits;
      if (merged.bits + most >= apart || Overflows(groups, merged, a, b)) continue;
      most = apart - merged.bits;
      best_a = a;
      best_b = b;
      best = std::move(merged);
    }
  }
  if (most == 0) return false;
  groups[best_a] = std::move(best);
  groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(best_b));
  return true;
}

// The first slot that no table before it still needs.
uint8_t FreeSlot(const std::vector<Group>& groups, const std::vector<JpegScanTable>& tables) {
  const Group& own = groups[tables.size()];
  std::array<bool, kSlots> is_taken = {};
  for (size_t t = 0; t < tables.size(); ++t) {
    if (tables[t].is_dc == own.is_dc && groups[t].last_scan >= own.first_scan) {
      is_taken[tables[t].slot] = true;
    }
  }
  return static_cast<uint8_t>(std::ranges::find(is_taken, false) - is_taken.begin());
}

}  // namespace

uint64_t JpegTableBits(const JpegSymbolCounts& counts) {
  const JpegHuffmanSpec spec = MakeOptimalJpegHuffman(counts);
  uint64_t bits = 8 * (uint64_t{17} + static_cast<uint64_t>(spec.symbol_count()));
  size_t index = 0;
  for (uint64_t length = 1; length < spec.counts.size(); ++length) {
    for (int i = 0; i < spec.counts[length]; ++i) bits += length * counts[spec.symbols[index++]];
  }
  return bits;
}

JpegScanTables ShareJpegTables(const JpegScanScript& script,
                               std::span<const JpegScanSymbols> symbols) {
  std::vector<Group> groups = GroupOfEach(script, symbols);
  while (MergeBest(groups)) {
  }
  std::ranges::stable_sort(groups, {}, &Group::first_scan);
  JpegScanTables shared;
  shared.of_scan.assign(script.size(), {-1, -1, -1});
  for (const Group& group : groups) {
    shared.bits += group.bits;
    const uint8_t slot = FreeSlot(groups, shared.tables);
    for (const auto& [scan, table] : group.uses) {
      shared.of_scan[scan][table] = static_cast<int>(shared.tables.size());
    }
    shared.tables.push_back(
        {MakeOptimalJpegHuffman(group.counts), group.is_dc, slot, group.first_scan});
  }
  return shared;
}

}  // namespace pixpress
