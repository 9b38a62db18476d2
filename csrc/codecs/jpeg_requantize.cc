#include "codecs/jpeg_requantize.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "codecs/jpeg_nonzero.h"

namespace pixpress {
namespace {

constexpr int32_t kMaxDifference = 2047;  // What 11 bits hold.

// ITU T.81 tables K.1 and K.2, row by row.
constexpr std::array<uint8_t, 64> kLuma = {
    16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
    14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
    18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr std::array<uint8_t, 64> kChroma = {
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
    99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

// For luma, by N. Robidoux: about flat where eyes see most, coarser than K.1 where they see least.
constexpr std::array<uint16_t, 64> kPerceptualLuma = {
    16, 16, 16, 18,  25,  37,  56,  85,  16, 17, 20,  27,  34,  40,  53,  75,
    16, 20, 24, 31,  43,  62,  91,  135, 18, 27, 31,  40,  53,  74,  106, 156,
    25, 34, 43, 53,  69,  94,  131, 189, 37, 40, 62,  74,  94,  124, 169, 238,
    56, 53, 91, 106, 131, 169, 226, 311, 85, 75, 135, 156, 189, 238, 311, 418};

constexpr int kPerceptualChromaPercent = 80;

// As libjpeg scales tables; `percent_of` gives a hundredfold step by its position in the block.
template <typename PercentOf>
JpegQuantTable ScaledQuant(int quality, const PercentOf& percent_of) {
  const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  JpegQuantTable table;
  for (size_t k = 0; k < 64; ++k) {
    const int step = (percent_of(kJpegNaturalOrder[k]) * scale / 100 + 50) / 100;
    table[k] = static_cast<uint16_t>(std::clamp(step, 1, 255));
  }
  return table;
}

// One step of ChooseJpegQuant. A step barely coarser than the source's adds much error and saves
// little; whole multiples add the least error, the odd ones none at zero.
uint16_t ChooseStep(uint32_t source, uint32_t wanted) {
  if (wanted * 10 <= source * 12) return static_cast<uint16_t>(source);
  const uint32_t multiple = (wanted + source / 2) / source;
  const uint32_t snapped = multiple * source;
  const uint32_t distance = snapped > wanted ? snapped - wanted : wanted - snapped;
  const bool is_near = distance * 100 <= wanted * 15;
  const bool fits = snapped <= 255 || wanted > 255;
  return static_cast<uint16_t>(is_near && fits ? snapped : wanted);
}

}  // namespace

JpegQuantTable StandardJpegQuant(int quality, bool is_chroma) {
  const std::array<uint8_t, 64>& base = is_chroma ? kChroma : kLuma;
  return ScaledQuant(quality, [&](size_t i) { return base[i] * 100; });
}

JpegQuantTable PerceptualJpegQuant(int quality, bool is_chroma) {
  return ScaledQuant(quality, [&](size_t i) {
    return is_chroma ? kChroma[i] * kPerceptualChromaPercent : kPerceptualLuma[i] * 100;
  });
}

JpegQuantTable ChooseJpegQuant(const JpegQuantTable& source, const JpegQuantTable& wanted) {
  JpegQuantTable table;
  for (size_t k = 0; k < 64; ++k) table[k] = ChooseStep(source[k], wanted[k]);
  return table;
}

JpegStepScale MakeJpegStepScale(const JpegQuantTable& source, const JpegQuantTable& target) {
  JpegStepScale scale;
  for (size_t k = 0; k < 64; ++k) {
    scale.multiplier[k] = (uint32_t{source[k]} << 16) / target[k];
    scale.is_identity &= source[k] == target[k];
  }
  return scale;
}

size_t JpegRequantizer::MaxRowTokens(const JpegFrame& frame) {
  return size_t{frame.mcu_columns} * frame.mcu_blocks() * kMaxBlockTokens + kTokenSlack;
}

int32_t JpegRequantizer::QuantizedDc(size_t component, int32_t dc) const {
  const auto magnitude = static_cast<int32_t>(scales_[component].Apply(std::abs(dc), 0));
  return dc < 0 ? -magnitude : magnitude;
}

void JpegRequantizer::StartAfter(const std::array<int32_t, 3>& source_dc) {
  for (size_t c = 0; c < frame_.component_count; ++c) last_dc_[c] = QuantizedDc(c, source_dc[c]);
}

bool JpegRequantizer::PutDc(size_t component, int32_t dc, JpegTokenWriter& out) {
  const int32_t now = QuantizedDc(component, dc);
  const int32_t difference = now - last_dc_[component];
  last_dc_[component] = now;
  out.PutDc(difference);
  return std::abs(difference) <= kMaxDifference;
}

bool JpegRequantizer::RequantizeNext(JpegBitReader& in, JpegEntropyDecoder& decoder,
                                     size_t component, JpegTokenWriter& out) {
  int32_t& predictor = decoder.predictor(component);
  if (!ReadJpegDc(in, decoder.dc_table(component), &predictor)) return false;
  if (!PutDc(component, predictor, out)) return false;
  if (trellis_ != nullptr) {
    const bool ok = ReadJpegAc(in, decoder.ac_table(component), [&](uint32_t k, JpegValue value) {
      if (value.magnitude != 0) trellis_->Add(component, k, value);
    });
    trellis_->Put(component, out);
    return ok;
  }
  const JpegStepScale& scale = scales_[component];
  JpegTokenWriter writer = out;
  uint32_t last = 0;
  const bool ok = ReadJpegAc(in, decoder.ac_table(component), [&](uint32_t k, JpegValue value) {
    value.magnitude = scale.Apply(value.magnitude, k);
    writer.PutAc(k - last - 1, value);
    last = value.magnitude != 0 ? k : last;
  });
  writer.PutEnd(last == 63);
  out = writer;
  return ok;
}

bool JpegRequantizer::RequantizeMcus(JpegEntropyDecoder& decoder, uint32_t count,
                                     JpegTokenWriter* out) {
  JpegTokenWriter writer = *out;
  for (uint32_t mcu = 0; mcu < count; ++mcu) {
    if (!decoder.BeginMcu()) return false;
    JpegBitReader in = decoder.reader();
    for (size_t c = 0; c < frame_.component_count; ++c) {
      for (int i = 0; i < frame_.components[c].h * frame_.components[c].v; ++i) {
        if (!RequantizeNext(in, decoder, c, writer)) return false;
      }
    }
    decoder.reader() = in;
    if (!decoder.EndMcu()) return false;
  }
  *out = writer;
  return true;
}

bool JpegRequantizer::RequantizeBlock(const int16_t* block, size_t component,
                                      JpegTokenWriter& out) {
  if (std::abs(block[0]) > JpegEntropyDecoder::kMaxDc || !PutDc(component, block[0], out)) {
    return false;
  }
  uint32_t last = 0;
  for (uint64_t left = JpegNonZero(block) & ~uint64_t{1}; left != 0; left &= left - 1) {
    const auto k = static_cast<uint32_t>(std::countr_zero(left));
    const int32_t own = block[kJpegNaturalOrder[k]];
    const uint32_t sign = own < 0 ? ~0u : 0;
    const auto magnitude = static_cast<uint32_t>(std::abs(own));
    if (magnitude > kMaxJpegAc) return false;
    if (trellis_ != nullptr) {
      trellis_->Add(component, k, {magnitude, sign});
      continue;
    }
    const JpegValue value{scales_[component].Apply(magnitude, k), sign};
    out.PutAc(k - last - 1, value);
    last = value.magnitude != 0 ? k : last;
  }
  if (trellis_ != nullptr) {
    trellis_->Put(component, out);
  } else {
    out.PutEnd(last == 63);
  }
  return true;
}

bool JpegRequantizer::RequantizeBlocks(const JpegBlockRows& blocks, JpegTokenWriter* out) {
  for (uint32_t column = 0; column < frame_.mcu_columns; ++column) {
    for (size_t c = 0; c < frame_.component_count; ++c) {
      const JpegFrameComponent& own = frame_.components[c];
      for (size_t y = 0; y < own.v; ++y) {
        const int16_t* const row = blocks[c][y] + size_t{column} * own.h * 64;
        for (size_t x = 0; x < own.h; ++x) {
          if (!RequantizeBlock(row + x * 64, c, *out)) return false;
        }
      }
    }
  }
  return true;
}

// AC of a draft that is rounded already.
const JpegToken* JpegRequantizer::CopyAc(const JpegToken* next, JpegTokenWriter& out) {
  JpegToken* to = out.next();
  JpegToken token;
  do {
    token = *next++;
    *to++ = token;
  } while (!IsJpegEnd(token));
  out = JpegTokenWriter(to);
  return next;
}

bool JpegRequantizer::RequantizePiece(const JpegPiece& piece, JpegTokenWriter* out) {
  StartAfter(piece.dc_before);
  std::array<int32_t, 3> dc = piece.dc_before;
  const JpegToken* next = piece.begin;
  JpegTokenWriter writer = *out;
  while (next < piece.end) {
    for (size_t c = 0; c < frame_.component_count; ++c) {
      for (int i = 0; i < frame_.components[c].h * frame_.components[c].v; ++i) {
        dc[c] = JpegTokenValue(*next) + (piece.has_differences ? dc[c] : 0);
        if (std::abs(dc[c]) > JpegEntropyDecoder::kMaxDc || !PutDc(c, dc[c], writer)) return false;
        next = trellis_ != nullptr ? trellis_->PutDraft(next + 1, c, writer)
                                   : CopyAc(next + 1, writer);
      }
    }
  }
  *out = writer;
  return true;
}

}  // namespace pixpress
