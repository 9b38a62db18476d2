#include "codecs/jpeg/progressive.h"

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

}  // namespace

uint64_t JpegProgressiveWriter::MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows) {
  return SaturatingAdd(
      JpegImageTokens::MemoryBytes(row_blocks, mcu_rows),
      JpegBitWriter::MemoryBytes() + JpegDcTrellisBytes(row_blocks) + kSymbolBytes);
}

Result<JpegScanScript> JpegProgressiveWriter::ChooseScans() const {
  const int chosen = options_.expert.jpeg_scan_search;
  const bool searches = chosen < 0 ? options_.effort >= kSearchEffort : chosen == 1;
  if (!searches) return FixedJpegScans(image_);
  return SearchJpegScans(image_, options_.effort >= kThoroughEffort, context_);
}

Status JpegProgressiveWriter::WriteScans(const JpegScanScript& script) {
  std::vector<JpegScanSymbols> symbols;
  for (const JpegScan& scan : script) {
    PIXPRESS_ASSIGN_OR_RETURN(JpegScanSymbols own, CountJpegScan(image_, scan, context_));
    symbols.push_back(own);
  }
  const JpegScanTables tables = ShareJpegTables(script, symbols);
  JpegBitWriter writer;
  PIXPRESS_RETURN_IF_ERROR(writer.Start(context_.meter, out_));
  for (size_t s = 0; s < script.size(); ++s) {
    PIXPRESS_RETURN_IF_ERROR(WriteScanHead(script[s], s, tables, out_));
    std::array<const JpegHuffmanSpec*, 3> specs = {};
    for (size_t t = 0; t < specs.size(); ++t) {
      const int table = tables.of_scan[s][t];
      if (table >= 0) specs[t] = &tables.tables[static_cast<size_t>(table)].spec;
    }
    PIXPRESS_RETURN_IF_ERROR(WriteJpegScan(image_, script[s], specs, context_, &writer));
  }
  return Status();
}

Status JpegProgressiveWriter::Finish() {
  if (chooses_dc_) PIXPRESS_RETURN_IF_ERROR(ChooseJpegDc(context_, &image_));
  PIXPRESS_ASSIGN_OR_RETURN(const JpegScanScript script, ChooseScans());
  PIXPRESS_RETURN_IF_ERROR(WriteJpegFrame(image_.frame(), true, metadata_, out_));
  PIXPRESS_RETURN_IF_ERROR(WriteScans(script));
  return WriteJpegEnd(out_);
}

}  // namespace pixpress
