#pragma once
// Scans of progressive JPEG (ITU T.81 annex G): what they take, and their bits.

#include <array>
#include <cstdint>

#include "codecs/jpeg/bit_writer.h"
#include "codecs/jpeg/huffman.h"
#include "codecs/jpeg/image_tokens.h"
#include "codecs/jpeg/scan.h"
#include "image/work_context.h"

namespace pixpress {

// What a scan consists of: symbols for each of its tables, and other bits.
struct JpegScanSymbols {
  std::array<JpegSymbolCounts, 3> counts = {};  // By component; of AC scans the first one.
  uint64_t other_bits = 0;                      // Values, runs and corrections.
  bool is_valid = true;                         // Else a difference of DC is too large.
};

// Polls for a stop per row.
Result<JpegScanSymbols> CountJpegScan(const JpegImageTokens& image, const JpegScan& scan,
                                      const WorkContext& context);

// `tables` is by component as above, and has a code for every symbol that was counted. The writer
// is left at the begin of a byte.
Status WriteJpegScan(const JpegImageTokens& image, const JpegScan& scan,
                     const std::array<const JpegHuffmanSpec*, 3>& tables,
                     const WorkContext& context, JpegBitWriter* writer);

}  // namespace pixpress
