#include "codecs/jpeg/progressive.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/jpeg/bit_writer.h"
#include "codecs/jpeg/dc_trellis.h"
#include "codecs/jpeg/entropy_encoder.h"
#include "codecs/jpeg/markers.h"
#include "codecs/jpeg/scan_coder.h"
#include "codecs/jpeg/scan_search.h"
#include "codecs/jpeg/scan_tables.h"

namespace pixpress {
namespace {

// From these efforts on scans are searched for, few and many.
constexpr int kSearchEffort = 9, kThoroughEffort = 10;
// Counts of as many scans as are tried.
constexpr uint64_t kSymbolBytes = 512 << 10;
// That a search finds: three of DC, and of each component two bands of first bits and three of
// later ones, of low and of high frequencies.
constexpr uint64_t kMostScans = 3 + 3 * 2 * (2 + 3);
// Of a scan in memory of its own: its head, and what is stuffed at the end.
constexpr size_t kScanSlackBytes = 3 * JpegBitWriter::kMostBytes + 1024;
// What is not used of that memory is a 64th, and what buffers are larger than was asked for, a
// sixteenth, of at most 80 bytes for a block.
constexpr uint64_t kUnusedBlockBytes = 7;

// The segments before the data of a scan: tables that are new, and the scan's own.
Status WriteScanHead(const JpegScan& scan, size_t index, const JpegScanTables& tables,
                     ByteChain* out) {
  std::vector<uint8_t> huffman;
  for (const JpegScanTable& table : tables.tables) {
    if (table.first_scan != index) continue;
    AppendJpegHuffman(static_cast<uint8_t>((table.is_dc ? 0 : 0x10) | table.slot), table.spec,
                      &huffman);
  }
  if (!huffman.empty()) PIXPRESS_RETURN_IF_ERROR(AppendJpegSegment(kJpegDht, huffman, out));
  std::vector<uint8_t> head = {scan.component_count};
  for (uint8_t i = 0; i < scan.component_count; ++i) {
    const int table = tables.of_scan[index][i];
    const uint8_t slot = table < 0 ? 0 : tables.tables[static_cast<size_t>(table)].slot;
    head.push_back(static_cast<uint8_t>(scan.component + i + 1));
    head.push_back(static_cast<uint8_t>(scan.is_dc() ? slot << 4 : slot));
  }
  head.insert(head.end(), {scan.first, scan.last, static_cast<uint8_t>(scan.high << 4 | scan.low)});
  return AppendJpegSegment(kJpegSos, head, out);
}

// Codes scans, each on any thread.
class ScanWriter {
 public:
  ScanWriter(const JpegImageTokens& image, const JpegScanScript& script,
             const JpegScanCounts& counts, const WorkContext& context)
      : image_(image), script_(script), context_(context) {
    for (const JpegScan& scan : script) symbols_.push_back(counts.Of(scan));
    tables_ = ShareJpegTables(script, symbols_);
  }

  Status Write(size_t index, ByteChain* out) const {
    PIXPRESS_RETURN_IF_ERROR(WriteScanHead(script_[index], index, tables_, out));
    JpegBitWriter writer;
    PIXPRESS_RETURN_IF_ERROR(writer.Start(context_.meter, out));
    return WriteJpegScan(image_, script_[index], SpecsOf(index), context_, &writer);
  }
  // Without stuffing.
  uint64_t DataBytes(size_t index) const {
    const std::array<const JpegHuffmanSpec*, 3> specs = SpecsOf(index);
    uint64_t bits = symbols_[index].other_bits;
    for (size_t t = 0; t < specs.size(); ++t) {
      if (specs[t] == nullptr) continue;
      const JpegCodeTable codes = MakeJpegCodes(*specs[t]);
      for (uint32_t symbol = 0; symbol < codes.size(); ++symbol) {
        const uint64_t length = codes[symbol].total_bits - (symbol & 15);
        bits += symbols_[index].counts[t][symbol] * length;
      }
    }
    return bits / 8 + 1;
  }

 private:
  std::array<const JpegHuffmanSpec*, 3> SpecsOf(size_t index) const {
    std::array<const JpegHuffmanSpec*, 3> specs = {};
    for (size_t t = 0; t < specs.size(); ++t) {
      const int table = tables_.of_scan[index][t];
      if (table >= 0) specs[t] = &tables_.tables[static_cast<size_t>(table)].spec;
    }
    return specs;
  }

  const JpegImageTokens& image_;
  const JpegScanScript& script_;
  const WorkContext& context_;
  std::vector<JpegScanSymbols> symbols_;
  JpegScanTables tables_;
};

// Into chains of their own, the longest scans first, so that threads end at about the same time.
Status WriteApart(const ScanWriter& writer, size_t count, const WorkContext& context,
                  ByteChain* out) {
  std::vector<ByteChain> chains;
  std::vector<std::pair<uint64_t, size_t>> order;
  for (size_t s = 0; s < count; ++s) {
    chains.emplace_back(context.meter);
    order.emplace_back(writer.DataBytes(s), s);
  }
  std::ranges::sort(order, std::greater<>());
  PIXPRESS_RETURN_IF_ERROR(context.parallel.For(count, [&](size_t i) {
    const auto [bytes, s] = order[i];
    PIXPRESS_RETURN_IF_ERROR(chains[s].Reserve(bytes + bytes / 64 + kScanSlackBytes).status());
    return writer.Write(s, &chains[s]);
  }));
  for (ByteChain& chain : chains) PIXPRESS_RETURN_IF_ERROR(out->Append(std::move(chain)));
  return Status();
}

}  // namespace

uint64_t JpegProgressiveWriter::MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows, bool is_large) {
  const uint64_t bytes = SaturatingAdd(JpegImageTokens::MemoryBytes(row_blocks, mcu_rows),
                                       JpegDcTrellisBytes(row_blocks) + kSymbolBytes);
  if (!is_large) return bytes + JpegBitWriter::MemoryBytes();
  const uint64_t scans =
      kMostScans * (JpegBitWriter::MemoryBytes() + BufferPool::CapacityFor(kScanSlackBytes));
  const uint64_t unused = SaturatingMul(SaturatingMul(row_blocks, mcu_rows), kUnusedBlockBytes);
  return SaturatingAdd(bytes, SaturatingAdd(scans, unused));
}

// Scans of AC that are wanted anyway are counted meanwhile.
Status JpegProgressiveWriter::ChooseDc(JpegScanCounts* counts) {
  JpegScanScript scans = FixedJpegScans(image_);
  std::erase_if(scans, [](const JpegScan& scan) { return scan.is_dc(); });
  const size_t choices = chooses_dc_ ? image_.frame().component_count : 0;
  return context_.parallel.For(choices + counts->Begin(scans), [&](size_t i) {
    return i < choices ? ChooseJpegDc(context_, i, &image_) : counts->Run(i - choices);
  });
}

Result<JpegScanScript> JpegProgressiveWriter::ChooseScans(JpegScanCounts* counts) const {
  const int chosen = options_.expert.jpeg_scan_search;
  const bool searches = chosen < 0 ? options_.effort >= kSearchEffort : chosen == 1;
  if (!searches) return FixedJpegScans(image_);
  return SearchJpegScans(image_, options_.effort >= kThoroughEffort, counts);
}

Status JpegProgressiveWriter::WriteScans(const JpegScanScript& script,
                                         const JpegScanCounts& counts) {
  const ScanWriter writer(image_, script, counts, context_);
  if (context_.parallel.width() > 1) return WriteApart(writer, script.size(), context_, out_);
  for (size_t s = 0; s < script.size(); ++s) PIXPRESS_RETURN_IF_ERROR(writer.Write(s, out_));
  return Status();
}

Status JpegProgressiveWriter::Finish() {
  JpegScanCounts counts(image_, context_);
  PIXPRESS_RETURN_IF_ERROR(ChooseDc(&counts));
  PIXPRESS_ASSIGN_OR_RETURN(const JpegScanScript script, ChooseScans(&counts));
  PIXPRESS_RETURN_IF_ERROR(counts.Count(script));
  PIXPRESS_RETURN_IF_ERROR(WriteJpegFrame(image_.frame(), true, metadata_, out_));
  PIXPRESS_RETURN_IF_ERROR(WriteScans(script, counts));
  return WriteJpegEnd(out_);
}

}  // namespace pixpress
