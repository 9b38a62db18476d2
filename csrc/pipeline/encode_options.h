#pragma once
// What the settings of a job mean for its encoder.

#include "codecs/codec.h"
#include "pipeline/job_spec.h"

namespace pixpress {

EncodeOptions MakeEncodeOptions(const JobSpec& spec, const ImageInfo& info);

// The same at another quality, and with the chroma sampling that goes with it.
EncodeOptions WithQuality(EncodeOptions options, int quality, const Settings& settings,
                          const ImageInfo& info);

}  // namespace pixpress
