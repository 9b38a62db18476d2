#include "memory/meter.h"

#include <utility>

namespace pixpress {

Result<Buffer> Meter::Allocate(size_t size_bytes) {
  PIXPRESS_ASSIGN_OR_RETURN(Buffer buffer, pool_.Allocate(size_bytes));
  if (!buffer.empty()) {
    Charge(buffer.capacity_);
    buffer.meter_ = this;
  }
  return buffer;
}

void Meter::Charge(size_t bytes) {
  const size_t now = current_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  size_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

}  // namespace pixpress
