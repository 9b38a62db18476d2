#pragma once
// What lcms2 holds for one job: counted, bounded, and silent about errors.

#include <lcms2.h>

#include <atomic>
#include <cstddef>
#include <mutex>

#include "memory/meter.h"

namespace pixpress {

// A context of the library, of which everything that is made with it is charged to the meter.
// Allocations beyond the bound fail, unless they are small, which the library reports as a failure
// of what it was doing. What it forgets to free then is freed at the end.
class ColorMemory {
 public:
  ColorMemory(Meter& meter, size_t most_bytes);
  ColorMemory(const ColorMemory&) = delete;
  ColorMemory& operator=(const ColorMemory&) = delete;
  ~ColorMemory();

  // Null if there was no memory for it.
  cmsContext lcms() const { return lcms_; }
  // Has the bound refused something?
  bool was_refused() const { return was_refused_.load(std::memory_order_relaxed); }

  // The allocator of the library; `owner` may be null.
  static void* AllocateFor(ColorMemory* owner, size_t bytes);
  static void Free(void* pointer);
  static size_t SizeOf(void* pointer);

 private:
  struct Block;

  void Remove(Block* block);

  Meter& meter_;
  const size_t most_bytes_;
  std::mutex mutex_;
  Block* blocks_ = nullptr;  // All that are held, as a list.
  size_t held_bytes_ = 0;
  std::atomic<bool> was_refused_{false};
  cmsContext lcms_ = nullptr;
};

}  // namespace pixpress
