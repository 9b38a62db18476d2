#pragma once
// Data parallelism inside one job, lent by whoever owns the threads.

#include <cstddef>
#include <functional>

#include "base/status.h"

namespace pixpress {

class Parallel {
 public:
  virtual ~Parallel() = default;

  // Call `body(i)` once for each i in [0, count), in any order, on any thread; return when all
  // calls have ended. The first error stops the hand-out of further indices and is returned. The
  // caller's thread takes part, so this never waits for a free thread.
  virtual Status For(size_t count, const std::function<Status(size_t)>& body) = 0;

  // How many bodies may run at the same time, the caller's included; a hint for splitting work.
  // Results must not depend on it.
  virtual size_t width() const = 0;

  // Would another thread take part in a call of For right now? A hint whether splitting work is
  // worth what it costs. Results must not depend on it.
  virtual bool HasIdle() const { return width() > 1; }
};

// Runs everything on the caller's thread.
class SerialParallel final : public Parallel {
 public:
  Status For(size_t count, const std::function<Status(size_t)>& body) override {
    for (size_t i = 0; i < count; ++i) PIXPRESS_RETURN_IF_ERROR(body(i));
    return Status();
  }
  size_t width() const override { return 1; }
};

}  // namespace pixpress
