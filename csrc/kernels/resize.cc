#include "kernels/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "kernels/resize_weights.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

// sRGB (IEC 61966-2-1) to 16-bit linear light and back.
struct LinearTables {
  std::array<uint16_t, 65536> to_linear;
  std::array<uint16_t, 65536> to_srgb;

  LinearTables() {
    for (size_t i = 0; i < to_linear.size(); ++i) {
      const double x = static_cast<double>(i) / 65535.0;
      const double linear = x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
      const double coded = x <= 0.0031308 ? x * 12.92 : 1.055 * std::pow(x, 1.0 / 2.4) - 0.055;
      to_linear[i] = static_cast<uint16_t>(std::lround(linear * 65535.0));
      to_srgb[i] = static_cast<uint16_t>(std::lround(coded * 65535.0));
    }
  }
  static const LinearTables& Get() {
    static const LinearTables tables;
    return tables;
  }
};

// Samples inside: 8-bit input in 15 bits and 32-bit sums on the plain path, 16 bits and 64-bit sums
// on the wide one (16-bit input, alpha, linear light).
struct Plain {
  using Sample = int16_t;
  using Sum = int32_t;
  static constexpr int kMost = 255 << 6;
};
struct Wide {
  using Sample = int32_t;
  using Sum = int64_t;
  static constexpr int kMost = 65535;
};

template <typename Kind>
typename Kind::Sample Round(typename Kind::Sum sum) {
  constexpr typename Kind::Sum kHalf = typename Kind::Sum{1} << (kWeightBits - 1);
  return static_cast<typename Kind::Sample>(
      std::clamp<typename Kind::Sum>((sum + kHalf) >> kWeightBits, 0, Kind::kMost));
}

// Vertically first, on the source rows that a window needs, then horizontally on the one row.
template <typename Kind>
class Resizer final : public PlaneResizer {
 public:
  using Sample = typename Kind::Sample;
  using Sum = typename Kind::Sum;

  Resizer(const ResizeAxis& x, const ResizeAxis& y, const ResizeOptions& options)
      : options_(options),
        x_(x),
        y_(y),
        horizontal_(ResizeWeights::Make(x, options.filter)),
        vertical_(ResizeWeights::Make(y, options.filter)),
        row_samples_(size_t{x.in_size} * options.channels) {}

  Status Init(Meter& meter) {
    ring_rows_ = std::max(1u, vertical_.most_taps);
    PIXPRESS_ASSIGN_OR_RETURN(ring_, meter.Allocate(row_samples_ * ring_rows_ * sizeof(Sample)));
    PIXPRESS_ASSIGN_OR_RETURN(sums_, meter.Allocate(row_samples_ * sizeof(Sum)));
    PIXPRESS_ASSIGN_OR_RETURN(blended_, meter.Allocate(row_samples_ * sizeof(Sample)));
    PIXPRESS_ASSIGN_OR_RETURN(
        narrowed_, meter.Allocate(size_t{x_.out_size} * options_.channels * sizeof(Sample)));
    return Status();
  }

  void PushRow(const uint8_t* row) override {
    const uint32_t index = pushed_++;
    if (made_ >= y_.out_size || index < vertical_.windows[made_].first) return;
    Load(row, RingRow(index));
  }

  bool row_ready() const override {
    if (made_ >= y_.out_size) return false;
    const auto& window = vertical_.windows[made_];
    return pushed_ >= window.first + window.count;
  }

  void PopRow(uint8_t* out) override {
    BlendRows(vertical_.windows[made_++]);
    BlendColumns();
    Store(out);
  }

 private:
  Sample* RingRow(uint32_t index) {
    return ring_.as<Sample>() + (index % ring_rows_) * row_samples_;
  }

  void Load(const uint8_t* row, Sample* out) const {
    if constexpr (std::is_same_v<Kind, Plain>) {
      for (size_t i = 0; i < row_samples_; ++i) out[i] = static_cast<Sample>(row[i] << 6);
    } else {
      const auto* wide = reinterpret_cast<const uint16_t*>(row);
      for (size_t i = 0; i < row_samples_; ++i) {
        out[i] = options_.bits == 16 ? wide[i] : row[i] * 257;
      }
      if (options_.linear) LinearizeRow(out);
      if (options_.has_alpha) PremultiplyRow(out);
    }
  }

  void LinearizeRow(Sample* row) const {
    const auto& table = LinearTables::Get().to_linear;
    const size_t colors = options_.channels - (options_.has_alpha ? 1 : 0);
    for (size_t x = 0; x < x_.in_size; ++x) {
      for (size_t c = 0; c < colors; ++c) {
        Sample& sample = row[x * options_.channels + c];
        sample = static_cast<Sample>(table[static_cast<size_t>(sample)]);
      }
    }
  }

  void PremultiplyRow(Sample* row) const {
    const size_t colors = options_.channels - 1u;
    for (size_t x = 0; x < x_.in_size; ++x) {
      Sample* pixel = row + x * options_.channels;
      for (size_t c = 0; c < colors; ++c) {
        pixel[c] = static_cast<Sample>((int64_t{pixel[c]} * pixel[colors] + 32767) / 65535);
      }
    }
  }

  void BlendRows(const ResizeWeights::Window& window) {
    Sample* const out = blended_.as<Sample>();
    if (window.count == 1) {
      std::memcpy(out, RingRow(window.first), row_samples_ * sizeof(Sample));
      return;
    }
    Sum* const sums = sums_.as<Sum>();
    std::fill_n(sums, row_samples_, Sum{0});
    for (uint32_t i = 0; i < window.count; ++i) {
      const Sample* row = RingRow(window.first + i);
      // Of 16 bits, so that the compiler may multiply 16 by 16 bits.
      const int16_t weight = vertical_.weights[window.offset + i];
      for (size_t s = 0; s < row_samples_; ++s) sums[s] += Sum{weight} * row[s];
    }
    for (size_t s = 0; s < row_samples_; ++s) out[s] = Round<Kind>(sums[s]);
  }

  template <size_t kChannels>
  void BlendColumnsOf() {
    const Sample* const in = blended_.as<Sample>();
    Sample* const out = narrowed_.as<Sample>();
    for (uint32_t x = 0; x < x_.out_size; ++x) {
      const auto& window = horizontal_.windows[x];
      const int16_t* weights = horizontal_.weights.data() + window.offset;
      const Sample* at = in + size_t{window.first} * kChannels;
      Sum sums[kChannels] = {};
      for (uint32_t i = 0; i < window.count; ++i) {
        for (size_t c = 0; c < kChannels; ++c) sums[c] += Sum{weights[i]} * at[i * kChannels + c];
      }
      for (size_t c = 0; c < kChannels; ++c) out[x * kChannels + c] = Round<Kind>(sums[c]);
    }
  }

  void BlendColumns() {
    if (x_.is_identity()) {
      std::memcpy(narrowed_.data(), blended_.data(), row_samples_ * sizeof(Sample));
      return;
    }
    switch (options_.channels) {
      case 1:
        return BlendColumnsOf<1>();
      case 2:
        return BlendColumnsOf<2>();
      case 3:
        return BlendColumnsOf<3>();
      default:
        return BlendColumnsOf<4>();
    }
  }

  void Store(uint8_t* out) {
    const size_t samples = size_t{x_.out_size} * options_.channels;
    Sample* const row = narrowed_.as<Sample>();
    if constexpr (std::is_same_v<Kind, Plain>) {
      for (size_t i = 0; i < samples; ++i) out[i] = static_cast<uint8_t>((row[i] + 32) >> 6);
    } else {
      FinishPixels(row);
      auto* const wide = reinterpret_cast<uint16_t*>(out);
      for (size_t i = 0; i < samples; ++i) {
        if (options_.bits == 16) {
          wide[i] = static_cast<uint16_t>(row[i]);
        } else {
          out[i] = static_cast<uint8_t>((int64_t{row[i]} * 255 + 32895) >> 16);
        }
      }
    }
  }

  // Undo premultiplication and linear light.
  void FinishPixels(Sample* row) const {
    const auto& table = LinearTables::Get().to_srgb;
    const size_t colors = options_.channels - (options_.has_alpha ? 1u : 0u);
    for (size_t x = 0; x < x_.out_size; ++x) {
      Sample* pixel = row + x * options_.channels;
      for (size_t c = 0; c < colors; ++c) {
        int64_t value = pixel[c];
        if (options_.has_alpha) {
          const int64_t alpha = pixel[colors];
          value = alpha == 0 ? 0 : std::min<int64_t>(65535, (value * 65535 + alpha / 2) / alpha);
        }
        pixel[c] = options_.linear ? table[static_cast<size_t>(value)] : static_cast<Sample>(value);
      }
    }
  }

  const ResizeOptions options_;
  const ResizeAxis x_;
  const ResizeAxis y_;
  const ResizeWeights horizontal_;
  const ResizeWeights vertical_;
  const size_t row_samples_;
  uint32_t ring_rows_ = 0;
  Buffer ring_;
  Buffer sums_;
  Buffer blended_;
  Buffer narrowed_;
  uint32_t pushed_ = 0;
  uint32_t made_ = 0;
};

bool IsPlain(const ResizeOptions& options) {
  return options.bits == 8 && !options.has_alpha && !options.linear;
}

template <typename Kind>
Result<std::unique_ptr<PlaneResizer>> Make(const ResizeAxis& x, const ResizeAxis& y,
                                           const ResizeOptions& options, Meter& meter) {
  auto resizer = std::make_unique<Resizer<Kind>>(x, y, options);
  PIXPRESS_RETURN_IF_ERROR(resizer->Init(meter));
  return std::unique_ptr<PlaneResizer>(std::move(resizer));
}

}  // namespace

Result<std::unique_ptr<PlaneResizer>> PlaneResizer::Create(const ResizeAxis& x, const ResizeAxis& y,
                                                           const ResizeOptions& options,
                                                           Meter& meter) {
  return IsPlain(options) ? Make<Plain>(x, y, options, meter) : Make<Wide>(x, y, options, meter);
}

uint64_t PlaneResizer::MemoryBytes(const ResizeAxis& x, const ResizeAxis& y,
                                   const ResizeOptions& options) {
  const uint64_t sample = IsPlain(options) ? sizeof(Plain::Sample) : sizeof(Wide::Sample);
  const uint64_t sum = IsPlain(options) ? sizeof(Plain::Sum) : sizeof(Wide::Sum);
  const uint64_t in = uint64_t{x.in_size} * options.channels;
  const uint64_t out = uint64_t{x.out_size} * options.channels;
  const uint64_t buffers =
      in * sample * (MostTaps(y, options.filter) + 1) + in * sum + out * sample;
  const uint64_t weights = uint64_t{x.out_size} * (16 + 2 * MostTaps(x, options.filter)) +
                           uint64_t{y.out_size} * (16 + 2 * MostTaps(y, options.filter));
  // Vectors grow by doubling; buffers are rounded up to a size class.
  return buffers + buffers / 4 + 2 * weights + 16384;
}

}  // namespace pixpress
