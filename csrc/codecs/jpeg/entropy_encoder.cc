#include "codecs/jpeg/entropy_encoder.h"

#include <algorithm>
#include <vector>

#include "codecs/jpeg/markers.h"
#include "codecs/jpeg/metadata.h"

namespace pixpress {
namespace {

constexpr uint8_t kSof0 = 0xC0, kSof1 = 0xC1, kSof2 = 0xC2;

bool IsWide(const JpegQuantTable& table) {
  return std::any_of(table.begin(), table.end(), [](uint16_t step) { return step > 255; });
}

// Which table of the file each component uses; equal tables are written once.
struct QuantTables {
  std::vector<uint8_t> payload;
  std::array<uint8_t, 3> index = {};
  bool is_wide = false;
};

QuantTables CollectQuantTables(const JpegFrame& frame) {
  QuantTables tables;
  uint8_t count = 0;
  for (size_t c = 0; c < frame.component_count; ++c) {
    const JpegQuantTable& own = frame.quant[frame.components[c].quant];
    tables.index[c] = count;
    for (size_t other = 0; other < c; ++other) {
      if (frame.quant[frame.components[other].quant] == own) tables.index[c] = tables.index[other];
    }
    if (tables.index[c] != count) continue;
    const bool is_wide = IsWide(own);
    tables.is_wide |= is_wide;
    tables.payload.push_back(static_cast<uint8_t>((is_wide ? 0x10 : 0) | count));
    for (const uint16_t step : own) {
      if (is_wide) tables.payload.push_back(static_cast<uint8_t>(step >> 8));
      tables.payload.push_back(static_cast<uint8_t>(step));
    }
    ++count;
  }
  return tables;
}

std::vector<uint8_t> FramePayload(const JpegFrame& frame, const QuantTables& tables) {
  std::vector<uint8_t> p = {8,
                            static_cast<uint8_t>(frame.height >> 8),
                            static_cast<uint8_t>(frame.height),
                            static_cast<uint8_t>(frame.width >> 8),
                            static_cast<uint8_t>(frame.width),
                            frame.component_count};
  for (size_t c = 0; c < frame.component_count; ++c) {
    const JpegFrameComponent& own = frame.components[c];
    p.push_back(static_cast<uint8_t>(c + 1));
    p.push_back(static_cast<uint8_t>(own.h << 4 | own.v));
    p.push_back(tables.index[c]);
  }
  return p;
}

std::vector<uint8_t> ScanPayload(const JpegFrame& frame) {
  std::vector<uint8_t> p = {frame.component_count};
  for (size_t c = 0; c < frame.component_count; ++c) {
    p.push_back(static_cast<uint8_t>(c + 1));
    p.push_back(c == 0 ? 0x00 : 0x11);
  }
  p.insert(p.end(), {0, 63, 0});
  return p;
}

// Let symbols that were not seen have long codes.
JpegSymbolCounts WithEverySymbol(JpegSymbolCounts counts, bool is_dc) {
  // A seen symbol weighs so much that the unseen ones together are next to nothing.
  constexpr uint32_t kSeenWeight = 64, kMost = 1u << 16;
  const uint32_t most = *std::max_element(counts.begin(), counts.end());
  const uint32_t divisor = most / kMost + 1;
  const JpegHuffmanSpec& all = StandardJpegHuffman(is_dc, false);
  for (int i = 0; i < all.symbol_count(); ++i) {
    uint32_t& count = counts[all.symbols[i]];
    count = count / divisor * kSeenWeight + 1;
  }
  return counts;
}

}  // namespace

JpegHuffmanSpecs StandardJpegHuffmanSpecs() {
  JpegHuffmanSpecs specs;
  for (const bool is_chroma : {false, true}) {
    specs.dc[is_chroma] = StandardJpegHuffman(true, is_chroma);
    specs.ac[is_chroma] = StandardJpegHuffman(false, is_chroma);
  }
  return specs;
}

JpegHuffmanSpecs MakeOptimalJpegHuffmanSpecs(const JpegImageCounts& counts, bool for_all) {
  JpegHuffmanSpecs specs;
  for (size_t t = 0; t < 2; ++t) {
    specs.dc[t] =
        MakeOptimalJpegHuffman(for_all ? WithEverySymbol(counts[t].dc, true) : counts[t].dc);
    specs.ac[t] =
        MakeOptimalJpegHuffman(for_all ? WithEverySymbol(counts[t].ac, false) : counts[t].ac);
  }
  return specs;
}

void CountJpegTokens(const JpegFrame& frame, std::span<const JpegToken> tokens,
                     JpegImageCounts* counts) {
  const JpegToken* next = tokens.data();
  const JpegToken* const end = next + tokens.size();
  while (next < end) {
    for (size_t c = 0; c < frame.component_count; ++c) {
      JpegBlockCounts& own = (*counts)[c > 0];
      for (int i = 0; i < frame.components[c].h * frame.components[c].v; ++i) {
        ++own.dc[SplitJpegToken(*next++ & 0xFFF).symbol];
        do {
          ++own.ac[SplitJpegToken(*next).symbol];
        } while (!IsJpegEnd(*next++));
      }
    }
  }
  // Ends of full blocks are not coded.
  for (JpegBlockCounts& own : *counts) own.ac[kJpegFullEnd >> 8] = 0;
}

Status AppendJpegSegment(uint8_t marker, Bytes payload, ByteChain* out) {
  const size_t length = payload.size() + 2;
  const uint8_t head[] = {0xFF, marker, static_cast<uint8_t>(length >> 8),
                          static_cast<uint8_t>(length)};
  PIXPRESS_RETURN_IF_ERROR(out->Append(head));
  return out->Append(payload);
}

void AppendJpegHuffman(uint8_t id, const JpegHuffmanSpec& spec, std::vector<uint8_t>* payload) {
  payload->push_back(id);
  payload->insert(payload->end(), spec.counts.begin() + 1, spec.counts.end());
  payload->insert(payload->end(), spec.symbols.begin(), spec.symbols.begin() + spec.symbol_count());
}

Status WriteJpegFrame(const JpegFrame& frame, bool is_progressive, const Metadata& metadata,
                      ByteChain* out) {
  const uint8_t soi[] = {0xFF, kJpegSoi};
  PIXPRESS_RETURN_IF_ERROR(out->Append(soi));
  PIXPRESS_RETURN_IF_ERROR(AppendJpegSegment(kJpegApp0, MakeJfifPayload(metadata.density), out));
  for (const JpegMetadataSegment& segment : MakeJpegSegments(metadata)) {
    PIXPRESS_RETURN_IF_ERROR(AppendJpegSegment(segment.marker, segment.payload, out));
  }
  const QuantTables tables = CollectQuantTables(frame);
  PIXPRESS_RETURN_IF_ERROR(AppendJpegSegment(kJpegDqt, tables.payload, out));
  const uint8_t sof = is_progressive ? kSof2 : tables.is_wide ? kSof1 : kSof0;
  return AppendJpegSegment(sof, FramePayload(frame, tables), out);
}

Status WriteJpegHead(const JpegFrame& frame, const JpegHuffmanSpecs& specs,
                     const Metadata& metadata, ByteChain* out) {
  PIXPRESS_RETURN_IF_ERROR(WriteJpegFrame(frame, false, metadata, out));
  std::vector<uint8_t> huffman;
  for (uint8_t t = 0; t < (frame.component_count == 1 ? 1 : 2); ++t) {
    AppendJpegHuffman(t, specs.dc[t], &huffman);
    AppendJpegHuffman(0x10 | t, specs.ac[t], &huffman);
  }
  PIXPRESS_RETURN_IF_ERROR(AppendJpegSegment(kJpegDht, huffman, out));
  return AppendJpegSegment(kJpegSos, ScanPayload(frame), out);
}

Status WriteJpegEnd(ByteChain* out) {
  const uint8_t eoi[] = {0xFF, kJpegEoi};
  return out->Append(eoi);
}

JpegEntropyEncoder::Codes JpegEntropyEncoder::MakeCodes(const JpegHuffmanSpec& spec) {
  const JpegCodeTable symbols = MakeJpegCodes(spec);
  Codes codes;
  for (uint32_t symbol = 0; symbol < symbols.size(); ++symbol) {
    const auto& [code, total_bits] = symbols[symbol];
    const uint32_t size = symbol & 15, shifted = uint32_t{code} << size;
    const uint32_t index = symbol >> 4 << 5 | size;
    codes[index] = {shifted, total_bits};
    // Ones are above a negative value's bits.
    codes[index | 16] = {shifted - (0x1000 - (1u << size)), total_bits};
  }
  return codes;
}

Status JpegEntropyEncoder::Start(const JpegFrame& frame, const JpegHuffmanSpecs& specs,
                                 Meter& meter, ByteChain* out) {
  for (size_t t = 0; t < 2; ++t) {
    tables_[t] = {MakeCodes(specs.dc[t]), MakeCodes(specs.ac[t])};
  }
  mcu_blocks_ = 0;
  for (size_t c = 0; c < frame.component_count; ++c) {
    const JpegFrameComponent& own = frame.components[c];
    std::fill_n(tables_of_block_.begin() + mcu_blocks_, own.h * own.v, &tables_[c > 0]);
    mcu_blocks_ += own.h * own.v;
  }
  return writer_.Start(meter, out);
}

const JpegToken* JpegEntropyEncoder::EncodeMcus(const JpegToken* next, const JpegToken* last,
                                                JpegBitPacker& out) const {
  JpegBitPacker packer = out;
  const auto add = [&](const Codes& codes) {
    const uint32_t token = *next++;
    const uint32_t value = token & 0xFFF;
    const Code code = codes[token >> 12 << 5 | kJpegValueClasses[value]];
    packer.Add(code.base + value, code.total_bits);
    return static_cast<JpegToken>(token);
  };
  while (next < last) {
    for (uint32_t block = 0; block < mcu_blocks_; ++block) {
      const Tables& tables = *tables_of_block_[block];
      add(tables.dc);
      while (!IsJpegEnd(add(tables.ac))) {
        packer.Flush();
        if (IsJpegEnd(add(tables.ac))) break;
      }
      packer.Flush();
    }
  }
  out = packer;
  return next;
}

Status JpegEntropyEncoder::Encode(std::span<const JpegToken> tokens) {
  const JpegToken* next = tokens.data();
  const JpegToken* const end = next + tokens.size();
  // As many as surely fit into the writer.
  constexpr size_t kMostTokens = JpegBitWriter::kMostBytes * 8 / kMostTokenBits - kMostMcuTokens;
  while (next < end) {
    next = EncodeMcus(next, next + std::min<size_t>(end - next, kMostTokens), writer_.packer());
    PIXPRESS_RETURN_IF_ERROR(writer_.Flush());
  }
  return Status();
}

uint64_t JpegEntropyEncoder::EncodePiece(std::span<const JpegToken> tokens, uint8_t* out) const {
  JpegBitPacker packer(out);
  EncodeMcus(tokens.data(), tokens.data() + tokens.size(), packer);
  return static_cast<uint64_t>(packer.next() - out) * 8 + packer.used_bits();
}

}  // namespace pixpress
