#pragma once
// What the scans of an image consist of, each counted once.

#include <cstddef>
#include <deque>
#include <span>

#include "codecs/jpeg/image_tokens.h"
#include "codecs/jpeg/scan.h"
#include "codecs/jpeg/scan_coder.h"
#include "image/work_context.h"

namespace pixpress {

// Used by one thread, but for Run; borrows everything.
class JpegScanCounts {
 public:
  JpegScanCounts(const JpegImageTokens& image, const WorkContext& context)
      : image_(image), context_(context) {}

  // Count those of `scans` that are not known yet, on all threads that are idle. Polls for a stop
  // per row of each.
  Status Count(std::span<const JpegScan> scans);
  // The same in steps: how many there are to count, each of which is to be Run, on any thread.
  size_t Begin(std::span<const JpegScan> scans);
  Status Run(size_t task);

  // Of a scan that was counted.
  const JpegScanSymbols& Of(const JpegScan& scan) const;

 private:
  struct Known {
    JpegScan scan;
    JpegScanSymbols symbols;
  };
  const Known* Find(const JpegScan& scan) const;

  const JpegImageTokens& image_;
  const WorkContext& context_;
  std::deque<Known> known_;
  size_t begun_ = 0;  // The first one of those that were begun last.
};

}  // namespace pixpress
