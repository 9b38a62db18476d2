#include "codecs/jpeg/skip_table.h"

namespace pixpress {

JpegSkipTable::Entry JpegSkipTable::MakeAc(const JpegDecodeTable& table, uint32_t bits) {
  uint32_t length = 0, steps = 0;
  bool is_end = false;
  while (length < kLookupBits && !is_end) {
    const uint32_t left = kLookupBits - length;
    const JpegHuffmanEntry entry = table.Find(uint64_t{bits} << (64 - left));
    if ((entry & kJpegEntryWrong) != 0 || JpegEntryCodeLength(entry) > left) break;
    uint32_t own_length = JpegEntryLength(entry);
    uint32_t own_steps = JpegEntryStep(entry);
    bool ends = (entry & kJpegEntryEnd) != 0;
    if ((entry & kJpegEntryMerged) == 0) {
      if (ends) own_steps = 0;
    } else if (own_length > left) {  // An end that was found in what is not known yet is none.
      own_length -= table.end_length();
      ends = false;
    }
    if (length + own_length > kMostSkippedBits || steps + own_steps >= kNothing) break;
    length += own_length;
    steps += own_steps;
    is_end = ends;
  }
  if (length == 0) return kNothing;
  const uint32_t end = is_end ? 1u << kNextShift | 1u << kEndShift : 0;
  return static_cast<Entry>(steps | length << kStepBits | end);
}

JpegSkipTable::Entry JpegSkipTable::MakeDc(const JpegDecodeTable& table, uint32_t bits) {
  const JpegHuffmanEntry entry = table.Find(uint64_t{bits} << (64 - kLookupBits));
  if ((entry & kJpegEntryWrong) != 0 || JpegEntryCodeLength(entry) > kLookupBits ||
      JpegEntryLength(entry) > kMostSkippedBits) {
    return kNothing;
  }
  return static_cast<Entry>(1u | JpegEntryLength(entry) << kStepBits | 1u << kNextShift);
}

void JpegSkipTable::Build(const JpegDecodeTable& table, bool is_dc) {
  for (uint32_t bits = 0; bits < entries_.size(); ++bits) {
    entries_[bits] = is_dc ? MakeDc(table, bits) : MakeAc(table, bits);
  }
}

const JpegSkipTable* StandardJpegSkipTable(const JpegDecodeTable& table) {
  static const std::array<JpegSkipTable, 4> tables = [] {
    std::array<JpegSkipTable, 4> built;
    for (size_t i = 0; i < built.size(); ++i) {
      const JpegHuffmanSpec& spec = StandardJpegHuffman(i < 2, i % 2 != 0);
      built[i].Build(*StandardJpegDecodeTable(spec, i < 2), i < 2);
    }
    return built;
  }();
  for (size_t i = 0; i < tables.size(); ++i) {
    const JpegHuffmanSpec& spec = StandardJpegHuffman(i < 2, i % 2 != 0);
    if (StandardJpegDecodeTable(spec, i < 2) == &table) return &tables[i];
  }
  return nullptr;
}

}  // namespace pixpress
