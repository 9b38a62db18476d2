#pragma once
// From blocks, as they are decoded or in memory, to tokens of some kind.

#include <concepts>
#include <cstdint>

#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/frame.h"
#include "codecs/jpeg/tokens.h"

namespace pixpress {

// Makes tokens of DC, of the AC coefficients that come next in the data, or of those of a block in
// memory. False if the data is not in order or a value cannot be coded.
template <typename T>
concept JpegTokenMaker = requires(T& maker, size_t component, int32_t dc, JpegBitReader& in,
                                  const JpegDecodeTable& table, const int16_t* block,
                                  JpegTokenWriter& out) {
  { maker.PutDc(component, dc, out) } -> std::same_as<bool>;
  { maker.ReadAc(in, table, component, out) } -> std::same_as<bool>;
  { maker.PutAc(block, component, out) } -> std::same_as<bool>;
};

// Of the next MCUs. False, as a maker's, after which `out` is of no use.
template <JpegTokenMaker Maker>
bool ReadJpegMcus(const JpegFrame& frame, JpegEntropyDecoder& decoder, uint32_t count, Maker& maker,
                  JpegTokenWriter* out) {
  JpegTokenWriter writer = *out;
  for (uint32_t mcu = 0; mcu < count; ++mcu) {
    if (!decoder.BeginMcu()) return false;
    JpegBitReader in = decoder.reader();  // Of its own, for registers.
    for (size_t c = 0; c < frame.component_count; ++c) {
      int32_t& dc = decoder.predictor(c);
      for (int i = 0; i < frame.components[c].h * frame.components[c].v; ++i) {
        if (!ReadJpegDc(in, decoder.dc_table(c), &dc)) return false;
        if (!maker.PutDc(c, dc, writer)) return false;
        if (!maker.ReadAc(in, decoder.ac_table(c), c, writer)) return false;
      }
    }
    decoder.reader() = in;
    if (!decoder.EndMcu()) return false;
  }
  *out = writer;
  return true;
}

// Of a block in memory.
template <JpegTokenMaker Maker>
bool PutJpegBlock(const int16_t* block, size_t component, Maker& maker, JpegTokenWriter& out) {
  return IsJpegDc(block[0]) && maker.PutDc(component, block[0], out) &&
         maker.PutAc(block, component, out);
}

}  // namespace pixpress
