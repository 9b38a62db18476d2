#pragma once
// Which of several layouts of an image takes the fewest bytes.

#include <vector>

#include "base/status.h"
#include "codecs/encode_options.h"
#include "codecs/png/reduce.h"
#include "image/image.h"
#include "image/work_context.h"

namespace pixpress {

// From here on layouts are compared; below, the first one is taken.
inline constexpr int kChoiceEffort = 5;

// How many orders of a palette are worth a trial.
size_t PngPaletteOrders(const ImageLayout& layout, const EncodeOptions& options);

// Deflates a small image, or rows of a large one, in each layout. `layouts` has one at least.
Result<PngLayout> ChoosePngLayout(const Image& image, std::vector<PngLayout> layouts,
                                  const EncodeOptions& options, const WorkContext& context);
// What it holds of the meter and of libraries.
uint64_t ChoosePngLayoutMemoryBytes(const ImageLayout& layout, const EncodeOptions& options);

}  // namespace pixpress
