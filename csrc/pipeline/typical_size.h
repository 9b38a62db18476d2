#pragma once
// What lossy formats take at a quality, of the images that are common.

#include "codecs/codec.h"

namespace pixpress {

// The median of the binary logarithms of the sizes of many images at `quality` (1 to 100, fractions
// too), over that of quality 80; rises with it.
double TypicalSize(Format format, double quality);

// The quality at which that is `size`; 1 or 100 beyond what the format has.
double QualityOfTypicalSize(Format format, double size);

}  // namespace pixpress
