#pragma once
// Huffman tables of JPEG: as files hold them, for decoding, for encoding, and made for an image.

#include <array>
#include <cstdint>

namespace pixpress {

// A table as a DHT segment says it. Symbols are run << 4 | size; DC has run 0.
struct JpegHuffmanSpec {
  std::array<uint8_t, 17> counts = {};  // Of codes by length; [0] is unused.
  std::array<uint8_t, 256> symbols = {};
  int symbol_count() const;
  bool operator==(const JpegHuffmanSpec&) const = default;
};

// What one look-up says of the next bits. Shifts take their counts from here without
// further arithmetic.
//   bits 0-5    length of all that was found: code, value and a merged end of block
//   bits 8-13   length of the code alone
//   bits 16-21  63 - size of the value in bits
//   bits 24-28  run of zeros before it, and 1; also 1 for the end of a block
//   bit 29      no symbol: the data is damaged; bit 31 is set too
//   bit 30      the end of the block follows the value and is merged into this entry
//   bit 31      the block ends here
using JpegHuffmanEntry = uint32_t;
inline constexpr JpegHuffmanEntry kJpegEntryWrong = 1u << 29;
inline constexpr JpegHuffmanEntry kJpegEntryMerged = 1u << 30;
inline constexpr JpegHuffmanEntry kJpegEntryEnd = 1u << 31;
constexpr uint32_t JpegEntryLength(JpegHuffmanEntry e) { return e & 63; }
constexpr uint32_t JpegEntryCodeLength(JpegHuffmanEntry e) { return e >> 8 & 63; }
constexpr uint32_t JpegEntrySize(JpegHuffmanEntry e) { return 63 - (e >> 16 & 63); }
constexpr uint32_t JpegEntryStep(JpegHuffmanEntry e) { return e >> 24 & 31; }

// Immutable after Build; small enough for four of them to stay in the first-level cache.
class JpegDecodeTable {
 public:
  static constexpr uint32_t kLookupBits = 10;
  // The largest values that 8-bit images have.
  static constexpr uint32_t kMaxDcBits = 11;
  static constexpr uint32_t kMaxAcBits = 10;

  // The code of the end of a block, which a look-up may have merged into the value before it.
  uint32_t end_code() const { return end_code_; }
  uint32_t end_length() const { return end_length_; }

  // False if no decoder would take the table. Symbols that mean nothing in 8-bit images, such as
  // larger values, are left out.
  bool Build(const JpegHuffmanSpec& spec, bool is_dc);

  // The first symbol of `bits`, which begin at the highest.
  JpegHuffmanEntry Find(uint64_t bits) const {
    const JpegHuffmanEntry entry = lookup_[bits >> (64 - kLookupBits)];
    return __builtin_expect(entry != 0, 1) ? entry : FindLong(bits);
  }

 private:
  // In line and without calls, for the sake of the registers of Find's callers.
  JpegHuffmanEntry FindLong(uint64_t bits) const {
    const auto head = static_cast<uint32_t>(bits >> 48);
    uint32_t length = kLookupBits + 1;
    while (head >= limits_[length]) ++length;
    // A length of 17 leaves no bits of the code, only the offset.
    return entries_[(head >> ((16 - length) & 31)) + offsets_[length]];
  }
  void MergeEnds();

  std::array<JpegHuffmanEntry, 1 << kLookupBits> lookup_ = {};  // 0: the code is longer.
  // By length: codes of this length and the bits after them are below the limit. Lengths of 17 are
  // no code at all.
  std::array<uint32_t, 18> limits_ = {};
  std::array<uint32_t, 18> offsets_ = {};  // From a code to its entry.
  std::array<JpegHuffmanEntry, 257> entries_ = {};
  uint32_t end_code_ = 0;
  uint32_t end_length_ = 0;  // 0: there is no such code.
};

// The code of a symbol and its length together with the value's.
struct JpegCode {
  uint16_t code = 0;
  uint16_t total_bits = 0;  // 0: the symbol has no code.
};
using JpegCodeTable = std::array<JpegCode, 256>;

JpegCodeTable MakeJpegCodes(const JpegHuffmanSpec& spec);

// ITU T.81 tables K.3 to K.6, which have a code for every symbol of 8-bit images.
const JpegHuffmanSpec& StandardJpegHuffman(bool is_dc, bool is_chroma);

// The ready-made table of a standard specification, which most cameras write and small files spend
// their time on; null for any other.
const JpegDecodeTable* StandardJpegDecodeTable(const JpegHuffmanSpec& spec, bool is_dc);

// The best table for symbols that occur this often (ITU T.81 annex K.2): codes of at most 16 bits,
// none of all ones. Counts may be 0, and sum to less than 2^31.
using JpegSymbolCounts = std::array<uint32_t, 256>;
JpegHuffmanSpec MakeOptimalJpegHuffman(const JpegSymbolCounts& counts);

// About what codes for symbols that occur this often take, in 1 / `unit` of a bit: the logarithm of
// how rare they are, 16 bits at most, counting each once more. `unit` divides 1024.
using JpegSymbolRates = std::array<uint16_t, 256>;
JpegSymbolRates MakeJpegSymbolRates(const JpegSymbolCounts& counts, uint32_t unit);

}  // namespace pixpress
