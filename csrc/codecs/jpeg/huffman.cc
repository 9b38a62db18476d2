#include "codecs/jpeg/huffman.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/fixed_log.h"

namespace pixpress {
namespace {

constexpr uint32_t kMaxCodeBits = 16;
constexpr uint8_t kEndOfBlock = 0;
constexpr JpegHuffmanEntry kWrongEntry = kJpegEntryWrong | kJpegEntryEnd | 63 << 16;

JpegHuffmanEntry MakeEntry(uint8_t symbol, uint32_t code_length, bool is_dc) {
  const uint32_t size = symbol & 15, run = symbol >> 4;
  if (size > (is_dc ? JpegDecodeTable::kMaxDcBits : JpegDecodeTable::kMaxAcBits)) {
    return kWrongEntry;
  }
  if (!is_dc && size == 0 && run != 0 && run != 15) return kWrongEntry;
  const bool is_end = !is_dc && symbol == kEndOfBlock;
  return (code_length + size) | code_length << 8 | (63 - size) << 16 | (run + 1) << 24 |
         (is_end ? kJpegEntryEnd : 0);
}

JpegHuffmanSpec MakeSpec(std::array<uint8_t, 17> counts, const uint8_t* symbols, size_t count) {
  JpegHuffmanSpec spec;
  spec.counts = counts;
  std::copy_n(symbols, count, spec.symbols.begin());
  return spec;
}

constexpr uint8_t kDcSymbols[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
constexpr std::array<uint8_t, 17> kLumaDcCounts = {0, 0, 1, 5, 1, 1, 1, 1, 1,
                                                   1, 0, 0, 0, 0, 0, 0, 0};
constexpr std::array<uint8_t, 17> kChromaDcCounts = {0, 0, 3, 1, 1, 1, 1, 1, 1,
                                                     1, 1, 1, 0, 0, 0, 0, 0};
constexpr std::array<uint8_t, 17> kLumaAcCounts = {0, 0, 2, 1, 3, 3, 2, 4,   3,
                                                   5, 5, 4, 4, 0, 0, 1, 0x7d};
constexpr uint8_t kLumaAcSymbols[] = {
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
    0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52,
    0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25,
    0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45,
    0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64,
    0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6,
    0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3,
    0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8,
    0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa};
constexpr std::array<uint8_t, 17> kChromaAcCounts = {0, 0, 2, 1, 2, 4, 4, 3,   4,
                                                     7, 5, 4, 4, 0, 1, 2, 0x77};
constexpr uint8_t kChromaAcSymbols[] = {
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61,
    0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33,
    0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18,
    0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44,
    0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63,
    0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
    0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
    0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4,
    0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca,
    0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7,
    0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa};

// A tree of the symbols; the last one stands for the code of all ones.
struct Node {
  uint64_t count = 0;
  int symbol = 0;
  int code_bits = 0;
  int next = -1;  // The nodes that were merged into this one, as a chain.
};

// The live node that occurs least, of equals the one with the largest symbol; -1 if there is none.
int Rarest(const std::vector<Node>& nodes, int except) {
  int best = -1;
  for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
    if (nodes[i].count == 0 || i == except) continue;
    if (best < 0 || nodes[i].count <= nodes[best].count) best = i;
  }
  return best;
}

int Deepen(std::vector<Node>& nodes, int from) {
  int last = from;
  for (int i = from; i >= 0; i = nodes[i].next) {
    ++nodes[i].code_bits;
    last = i;
  }
  return last;
}

void FindCodeBits(std::vector<Node>& nodes) {
  for (;;) {
    const int a = Rarest(nodes, -1);
    const int b = Rarest(nodes, a);
    if (b < 0) return;
    nodes[a].count += nodes[b].count;
    nodes[b].count = 0;
    const int last = Deepen(nodes, a);
    nodes[last].next = b;
    Deepen(nodes, b);
  }
}

// Figure K.3: shorten the longest codes to 16 bits, then give up the code of all ones.
void LimitCodeBits(std::vector<int>& bits) {
  for (size_t i = bits.size() - 1; i > kMaxCodeBits; --i) {
    while (bits[i] > 0) {
      size_t j = i - 2;
      while (bits[j] == 0) --j;
      bits[i] -= 2;
      ++bits[i - 1];
      bits[j + 1] += 2;
      --bits[j];
    }
  }
  size_t last = kMaxCodeBits;
  while (bits[last] == 0) --last;
  --bits[last];
}

}  // namespace

int JpegHuffmanSpec::symbol_count() const {
  return std::accumulate(counts.begin() + 1, counts.end(), 0);
}

// Where the bits after a value are sure to be the end of the block, one look-up finds both.
void JpegDecodeTable::MergeEnds() {
  if (end_length_ == 0) return;
  for (uint32_t i = 0; i < lookup_.size(); ++i) {
    const JpegHuffmanEntry entry = lookup_[i];
    const uint32_t length = JpegEntryLength(entry) + end_length_;
    if (entry == 0 || JpegEntrySize(entry) == 0 || length > kLookupBits) continue;
    const uint32_t next = i >> (kLookupBits - length) & ((1u << end_length_) - 1);
    if (next != end_code_) continue;
    lookup_[i] = (entry + end_length_) | kJpegEntryMerged | kJpegEntryEnd;
  }
}

bool JpegDecodeTable::Build(const JpegHuffmanSpec& spec, bool is_dc) {
  *this = JpegDecodeTable();
  lookup_.fill(kWrongEntry);
  entries_.fill(kWrongEntry);
  if (spec.symbol_count() > 256) return false;
  uint32_t code = 0, index = 0;
  for (uint32_t length = 1; length <= kMaxCodeBits; ++length, code <<= 1) {
    offsets_[length] = index - code;
    for (uint32_t i = 0; i < spec.counts[length]; ++i, ++code, ++index) {
      const uint8_t symbol = spec.symbols[index];
      // No code is all ones.
      if (code + 1 >= 1u << length || (is_dc && symbol > 15)) return false;
      entries_[index] = MakeEntry(symbol, length, is_dc);
      if (!is_dc && symbol == kEndOfBlock) {
        end_code_ = code;
        end_length_ = length;
      }
      if (length <= kLookupBits) {
        const uint32_t rest = kLookupBits - length;
        std::fill_n(lookup_.begin() + (code << rest), 1u << rest, entries_[index]);
      } else {
        lookup_[code >> (length - kLookupBits)] = 0;
      }
    }
    limits_[length] = code << (kMaxCodeBits - length);
  }
  // Whatever is no code at all.
  limits_[kMaxCodeBits + 1] = 1u << kMaxCodeBits;
  offsets_[kMaxCodeBits + 1] = 256;
  MergeEnds();
  return true;
}

JpegCodeTable MakeJpegCodes(const JpegHuffmanSpec& spec) {
  JpegCodeTable table;
  uint32_t code = 0, index = 0;
  for (uint32_t length = 1; length <= kMaxCodeBits; ++length, code <<= 1) {
    for (uint32_t i = 0; i < spec.counts[length]; ++i, ++code, ++index) {
      const uint8_t symbol = spec.symbols[index];
      table[symbol] = {static_cast<uint16_t>(code), static_cast<uint16_t>(length + (symbol & 15))};
    }
  }
  return table;
}

const JpegHuffmanSpec& StandardJpegHuffman(bool is_dc, bool is_chroma) {
  static const std::array<JpegHuffmanSpec, 4> specs = {
      MakeSpec(kLumaDcCounts, kDcSymbols, sizeof kDcSymbols),
      MakeSpec(kChromaDcCounts, kDcSymbols, sizeof kDcSymbols),
      MakeSpec(kLumaAcCounts, kLumaAcSymbols, sizeof kLumaAcSymbols),
      MakeSpec(kChromaAcCounts, kChromaAcSymbols, sizeof kChromaAcSymbols)};
  return specs[(is_dc ? 0 : 2) + (is_chroma ? 1 : 0)];
}

const JpegDecodeTable* StandardJpegDecodeTable(const JpegHuffmanSpec& spec, bool is_dc) {
  static const std::array<JpegDecodeTable, 4> tables = [] {
    std::array<JpegDecodeTable, 4> built;
    for (size_t i = 0; i < built.size(); ++i) {
      built[i].Build(StandardJpegHuffman(i < 2, i % 2 != 0), i < 2);
    }
    return built;
  }();
  for (const bool is_chroma : {false, true}) {
    if (spec == StandardJpegHuffman(is_dc, is_chroma)) {
      return &tables[(is_dc ? 0 : 2) + (is_chroma ? 1 : 0)];
    }
  }
  return nullptr;
}

JpegHuffmanSpec MakeOptimalJpegHuffman(const JpegSymbolCounts& counts) {
  std::vector<Node> nodes;
  for (int symbol = 0; symbol < 256; ++symbol) {
    if (counts[symbol] > 0) nodes.push_back({counts[symbol], symbol, 0, -1});
  }
  if (nodes.empty()) nodes.push_back({1, 0, 0, -1});
  nodes.push_back({1, 256, 0, -1});
  FindCodeBits(nodes);
  std::vector<int> bits(std::max<size_t>(nodes.size() + 1, kMaxCodeBits + 1));
  for (const Node& node : nodes) ++bits[node.code_bits];
  LimitCodeBits(bits);
  JpegHuffmanSpec spec;
  std::copy_n(bits.begin(), spec.counts.size(), spec.counts.begin());
  nodes.pop_back();
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const Node& a, const Node& b) { return a.code_bits < b.code_bits; });
  for (size_t i = 0; i < nodes.size(); ++i) {
    spec.symbols[i] = static_cast<uint8_t>(nodes[i].symbol);
  }
  return spec;
}

JpegSymbolRates MakeJpegSymbolRates(const JpegSymbolCounts& counts, uint32_t unit) {
  constexpr uint32_t kLogUnit = 1024;
  const int32_t all = Log2In1024ths(std::accumulate(counts.begin(), counts.end(), 1u));
  JpegSymbolRates rates;
  std::ranges::transform(counts, rates.begin(), [&](uint32_t count) {
    const auto log = static_cast<uint32_t>(all - Log2In1024ths(count + 1));
    return static_cast<uint16_t>(std::min(log * unit / kLogUnit, kMaxCodeBits * unit));
  });
  return rates;
}

}  // namespace pixpress
