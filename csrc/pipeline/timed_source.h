#pragma once
// Measure a source from outside: time spent in it, and how far it is.

#include <cstdint>
#include <memory>

#include "base/progress_sink.h"
#include "image/row_source.h"

namespace pixpress {

// The rows of `source`. Every Next() adds its time to `total_ns`, marks errors with `stage` and
// reports the fraction of rows given to `progress`, if any. Both pointers outlive the source.
std::unique_ptr<RowSource> MakeTimedSource(std::unique_ptr<RowSource> source, Stage stage,
                                           ProgressSink* progress, int64_t* total_ns);

}  // namespace pixpress
