#pragma once
// A scan of a progressive JPEG file: what it codes of which coefficients.

#include <cstdint>
#include <vector>

namespace pixpress {

// Of DC, one component or all; of AC, one. Bits are counted from the lowest of a magnitude.
struct JpegScan {
  uint8_t component = 0;        // The first one.
  uint8_t component_count = 1;  // Of DC.
  uint8_t first = 0;            // In zigzag order; 0 is DC, which is alone.
  uint8_t last = 0;
  uint8_t high = 0;  // Bits from this one on were coded before; 0 is none were.
  uint8_t low = 0;   // Bits from this one on are coded now.

  bool is_dc() const { return last == 0; }
  bool operator==(const JpegScan&) const = default;
};

// In the order of the file.
using JpegScanScript = std::vector<JpegScan>;

}  // namespace pixpress
