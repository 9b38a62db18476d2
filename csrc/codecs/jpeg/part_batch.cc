#include "codecs/jpeg/part_batch.h"

#include <limits>

namespace pixpress {

uint64_t JpegPartBatch::MostMcus(const JpegPosition& position) const {
  const uint64_t last_bytes = position.place.offset - last_.place.offset;
  const uint64_t last_mcus = position.mcus - last_.mcus;
  if (position.mcus <= last_.mcus || position.place.offset <= last_.place.offset) {
    return std::numeric_limits<uint64_t>::max();
  }
  const uint64_t bytes = offsets_[count_] - offsets_[0];
  return position.mcus + bytes * last_mcus / last_bytes * 3 / 2;
}

}  // namespace pixpress
