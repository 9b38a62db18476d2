#include "codecs/jpeg/skip_table.h"

namespace pixpress {

void JpegSkipTable::Build(const JpegDecodeTable& table) {
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    Entry& made = entries_[i];
    made = {};
    while (made.length < kLookupBits && !made.is_end) {
      const uint32_t left = kLookupBits - made.length;
      const JpegHuffmanEntry entry = table.Find(uint64_t{i} << (64 - left));
      if ((entry & kJpegEntryWrong) != 0 || JpegEntryCodeLength(entry) > left) break;
      uint32_t length = JpegEntryLength(entry);
      made.is_end = (entry & kJpegEntryEnd) != 0;
      // An end that was found in what is not known yet is none.
      if ((entry & kJpegEntryMerged) != 0 && length > left) {
        length -= table.end_length();
        made.is_end = false;
      }
      made.length = static_cast<uint8_t>(made.length + length);
      made.steps = static_cast<uint8_t>(made.steps + JpegEntryStep(entry));
    }
  }
}

}  // namespace pixpress
