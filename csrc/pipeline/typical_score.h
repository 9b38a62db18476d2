#pragma once
// What lossy formats score at a quality, of the images that are common.

#include "codecs/codec.h"

namespace pixpress {

// The median SSIMULACRA2 of many images at `quality` (1 to 100, fractions too); rises with it.
double TypicalScore(Format format, double quality);

// The quality at which that is `score`; 1 or 100 beyond what the format has.
double QualityOfTypicalScore(Format format, double score);

}  // namespace pixpress
