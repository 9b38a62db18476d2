#include "codecs/jpeg/dc_trellis.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <span>

#include "codecs/jpeg/huffman.h"
#include "kernels/dc_trellis.h"

namespace pixpress {
namespace {

// What a squared error of a step costs in luma and chroma, in bits.
constexpr std::array<uint32_t, 2> kErrorBits = {12, 9};
// A difference that cannot be coded.
constexpr uint32_t kNeverRate = 1 << 20;

// The DC coefficients of a component.
class Chains {
 public:
  // `chain` has room for a row of MCUs.
  Chains(JpegImageTokens& image, size_t component, std::span<DcTrellisValue> chain)
      : image_(image),
        component_(component),
        own_(image.frame().components[component]),
        chain_(chain) {}

  // Count what differences there are by size.
  void Count(uint32_t mcu_row, JpegSymbolCounts* counts) {
    Read(mcu_row);
    for (const DcTrellisValue& value : chain_) {
      const auto difference = static_cast<uint32_t>(std::abs(value.level - last_));
      ++(*counts)[static_cast<size_t>(std::bit_width(difference))];
      last_ = value.level;
    }
  }
  void Choose(uint32_t mcu_row, const DcTrellisRates& rates) {
    Read(mcu_row);
    ChooseDcTrellisLevels(rates, kErrorBits[component_ > 0] * kTrellisWeightUnit, last_, chain_);
    last_ = chain_.back().level;
    const DcTrellisValue* next = chain_.data();
    Visit(mcu_row, [&](int16_t& level, int8_t) { level = next++->level; });
  }

 private:
  template <typename Use>
  void Visit(uint32_t mcu_row, const Use& use) {
    for (uint32_t column = 0; column < image_.frame().mcu_columns; ++column) {
      for (uint32_t y = 0; y < own_.v; ++y) {
        int16_t* const levels = image_.Dc(component_, mcu_row * own_.v + y) + column * own_.h;
        const int8_t* const errors =
            image_.DcErrors(component_, mcu_row * own_.v + y) + column * own_.h;
        for (uint32_t x = 0; x < own_.h; ++x) use(levels[x], errors[x]);
      }
    }
  }
  void Read(uint32_t mcu_row) {
    DcTrellisValue* next = chain_.data();
    Visit(mcu_row, [&](int16_t level, int8_t error) { *next++ = {level, error}; });
  }

  JpegImageTokens& image_;
  const size_t component_;
  const JpegFrameComponent own_;
  const std::span<DcTrellisValue> chain_;
  int32_t last_ = 0;
};

DcTrellisRates RatesOf(const JpegSymbolCounts& counts) {
  const JpegSymbolRates codes = MakeJpegSymbolRates(counts, kTrellisRateUnit);
  DcTrellisRates rates;
  for (uint32_t size = 0; size < rates.size(); ++size) {
    const bool is_coded = size <= JpegDecodeTable::kMaxDcBits;
    rates[size] = is_coded ? codes[size] + size * kTrellisRateUnit : kNeverRate;
  }
  return rates;
}

}  // namespace

uint64_t JpegDcTrellisBytes(uint64_t row_blocks) {
  constexpr uint64_t kMostComponents = 3;
  return kMostComponents * BufferPool::CapacityFor(row_blocks * sizeof(DcTrellisValue));
}

Status ChooseJpegDc(const WorkContext& context, size_t component, JpegImageTokens* image) {
  const JpegFrame& frame = image->frame();
  const JpegFrameComponent& own = frame.components[component];
  const size_t row_blocks = size_t{frame.mcu_columns} * own.h * own.v;
  Buffer room;
  PIXPRESS_ASSIGN_OR_RETURN(room, context.meter.Allocate(row_blocks * sizeof(DcTrellisValue)));
  const std::span values(room.as<DcTrellisValue>(), row_blocks);
  JpegSymbolCounts counts = {};
  Chains before(*image, component, values), now(*image, component, values);
  for (uint32_t row = 0; row < frame.mcu_rows; ++row) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    before.Count(row, &counts);
  }
  const DcTrellisRates rates = RatesOf(counts);
  for (uint32_t row = 0; row < frame.mcu_rows; ++row) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    now.Choose(row, rates);
  }
  return Status();
}

}  // namespace pixpress
