#include "codecs/jpeg/scan_counts.h"

#include <algorithm>
#include <cassert>

namespace pixpress {

const JpegScanCounts::Known* JpegScanCounts::Find(const JpegScan& scan) const {
  const auto found = std::ranges::find(known_, scan, &Known::scan);
  return found == known_.end() ? nullptr : &*found;
}

const JpegScanSymbols& JpegScanCounts::Of(const JpegScan& scan) const {
  const Known* const known = Find(scan);
  assert(known != nullptr);
  return known->symbols;
}

size_t JpegScanCounts::Begin(std::span<const JpegScan> scans) {
  begun_ = known_.size();
  for (const JpegScan& scan : scans) {
    if (Find(scan) == nullptr) known_.push_back({scan, {}});
  }
  return known_.size() - begun_;
}

Status JpegScanCounts::Run(size_t task) {
  Known& known = known_[begun_ + task];
  PIXPRESS_ASSIGN_OR_RETURN(known.symbols, CountJpegScan(image_, known.scan, context_));
  return Status();
}

Status JpegScanCounts::Count(std::span<const JpegScan> scans) {
  return context_.parallel.For(Begin(scans), [&](size_t task) { return Run(task); });
}

}  // namespace pixpress
