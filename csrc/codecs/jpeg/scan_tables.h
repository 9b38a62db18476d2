#pragma once
// The Huffman tables of a progressive JPEG file: scans share one where that saves bytes.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "codecs/jpeg/huffman.h"
#include "codecs/jpeg/scan.h"
#include "codecs/jpeg/scan_coder.h"

namespace pixpress {

struct JpegScanTable {
  JpegHuffmanSpec spec;
  bool is_dc = false;
  uint8_t slot = 0;
  size_t first_scan = 0;  // Before it the table is written.
};

struct JpegScanTables {
  std::vector<JpegScanTable> tables;
  // By scan: the tables that its symbols are counted for; -1 where there are none.
  std::vector<std::array<int, 3>> of_scan;
  uint64_t bits = 0;  // Of the tables and all symbols.
};

// What symbols take that occur this often, together with their table, without their values.
uint64_t JpegTableBits(const JpegSymbolCounts& counts);

// `symbols` are those of the scans of `script`.
JpegScanTables ShareJpegTables(const JpegScanScript& script,
                               std::span<const JpegScanSymbols> symbols);

}  // namespace pixpress
