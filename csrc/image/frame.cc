#include "image/frame.h"

#include <algorithm>
#include <cmath>

namespace pixpress {

uint32_t DurationRounder::Next(const FrameDuration& duration) {
  exact_ += static_cast<double>(duration.numerator) * units_per_second_ / duration.denominator;
  const double due = std::floor(exact_ + 0.5) - static_cast<double>(rounded_);
  const uint32_t units = static_cast<uint32_t>(std::clamp(due, 0.0, 4294967295.0));
  rounded_ += units;
  return units;
}

}  // namespace pixpress
