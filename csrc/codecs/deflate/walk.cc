#include "codecs/deflate/walk.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "codecs/deflate/symbols.h"

namespace pixpress {
namespace {

constexpr uint32_t kTableBits = 11;
// Of literals alone, that fit into the bits which are read at a time.
constexpr uint32_t kStridesOfWindow = 5;

Status Unreadable() {
  return Status(StatusCode::kInternal, "a deflate stream cannot be read again");
}

// At least 57 bits from a place on; zeros behind the end.
uint64_t WindowAt(std::span<const uint8_t> stream, size_t at) {
  uint64_t word = 0;
  const size_t byte = at / 8;
  if (std::endian::native == std::endian::little && byte + 8 <= stream.size()) {
    std::memcpy(&word, stream.data() + byte, 8);
  } else {
    for (size_t i = byte; i < std::min(byte + 8, stream.size()); ++i) {
      word |= uint64_t{stream[i]} << (8 * (i - byte));
    }
  }
  return word >> (at % 8);
}

// What a code says: its symbol and its bits; 0 bits: there is none.
struct Code {
  uint16_t symbol = 0;
  uint8_t bits = 0;
};

class CodeTable {
 public:
  void Make(std::span<const uint8_t> lengths) {
    std::array<uint32_t, kMostCodeBits + 2> count = {};
    for (const uint8_t length : lengths) ++count[length];
    count[0] = 0;
    uint32_t code = 0, place = 0;
    for (uint32_t bits = 1; bits <= kMostCodeBits; ++bits) {
      code = (code + count[bits - 1]) << 1;
      first_code_[bits] = code;
      first_place_[bits] = place;
      count_[bits] = count[bits];
      place += count[bits];
    }
    table_.fill({});
    std::array<uint32_t, kMostCodeBits + 1> next = first_code_;
    for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      const uint32_t bits = lengths[symbol];
      if (bits == 0) continue;
      const uint32_t own = next[bits]++;
      sorted_[first_place_[bits] + own - first_code_[bits]] = static_cast<uint16_t>(symbol);
      if (bits > kTableBits) continue;
      for (uint32_t i = Reversed(own, bits); i < table_.size(); i += 1u << bits) {
        table_[i] = {static_cast<uint16_t>(symbol), static_cast<uint8_t>(bits)};
      }
    }
  }

  Code At(uint64_t window) const {
    const Code code = table_[window % table_.size()];
    return code.bits != 0 ? code : LongAt(window);
  }
  // Without a look at codes that are longer than the table's.
  Code ShortAt(uint64_t window) const { return table_[window % table_.size()]; }
  static constexpr uint32_t kEntries = 1u << kTableBits;

 private:
  static uint32_t Reversed(uint32_t code, uint32_t bits) {
    uint32_t reversed = 0;
    for (uint32_t i = 0; i < bits; ++i, code >>= 1) reversed = reversed << 1 | (code & 1);
    return reversed;
  }
  Code LongAt(uint64_t window) const {
    uint32_t code = 0;
    for (uint32_t bits = 1; bits <= kMostCodeBits; ++bits, window >>= 1) {
      code = code << 1 | static_cast<uint32_t>(window & 1);
      if (code >= first_code_[bits] && code - first_code_[bits] < count_[bits]) {
        return {sorted_[first_place_[bits] + code - first_code_[bits]], static_cast<uint8_t>(bits)};
      }
    }
    return {};
  }

  std::array<Code, kEntries> table_;
  std::array<uint32_t, kMostCodeBits + 1> first_code_ = {};
  std::array<uint32_t, kMostCodeBits + 1> first_place_ = {};
  std::array<uint32_t, kMostCodeBits + 1> count_ = {};
  std::array<uint16_t, kFixedSymbols> sorted_ = {};
};

// What follows at a place where only bits count: as many literals as the table's bits hold, and
// perhaps a length behind them.
struct Stride {
  uint8_t bits = 0;
  bool has_length = false;
};

class Walker {
 public:
  Walker(std::span<const uint8_t> stream, size_t known_bytes)
      : stream_(stream), known_bytes_(known_bytes) {}

  Result<DeflateWalk> Run() {
    bool is_last = false;
    while (!is_last) {
      const size_t begin = at_;
      is_last = Take(1) != 0;
      const uint32_t type = Take(2);
      if (!is_cut_ && made_ >= known_bytes_) Cut(begin);
      if (type == kStoredBlock) {
        PIXPRESS_RETURN_IF_ERROR(PassStored(begin));
        continue;
      }
      PIXPRESS_RETURN_IF_ERROR(type == kDynamicBlock ? ReadCodes()
                               : type == kFixedBlock ? UseFixedCodes()
                                                     : Unreadable());
      const size_t body = at_;
      if (!is_cut_) PIXPRESS_RETURN_IF_ERROR(PassKnown());
      if (!is_cut_) continue;
      PIXPRESS_RETURN_IF_ERROR(PassRest());
      walk_.blocks.push_back({begin, body, at_});
    }
    if (!is_cut_ && made_ < known_bytes_) {
      return Status(StatusCode::kInternal, "a deflate stream is shorter than its data");
    }
    if (!is_cut_) Cut(at_);
    return std::move(walk_);
  }

 private:
  uint32_t Take(unsigned count) {
    const uint32_t bits = ReadDeflateBits(stream_, at_, count);
    at_ += count;
    return bits;
  }
  bool is_beyond() const { return at_ > stream_.size() * 8; }

  void Cut(size_t at) {
    is_cut_ = true;
    walk_.cut = at;
    walk_.data_bytes = made_ - known_bytes_;
  }

  Status PassStored(size_t begin) {
    at_ = (at_ + 7) / 8 * 8;
    const size_t bytes = Take(16);
    at_ += 16;
    const size_t body = at_;
    if (!is_cut_ && made_ + bytes > known_bytes_) {
      const size_t before = known_bytes_ - made_;
      made_ = known_bytes_;
      Cut(body + 8 * before);
    } else if (!is_cut_) {
      made_ += bytes;
    }
    at_ = body + 8 * bytes;
    if (is_cut_) walk_.blocks.push_back({begin, body, at_});
    return is_beyond() ? Unreadable() : Status();
  }

  Status UseFixedCodes() {
    std::array<uint8_t, kFixedSymbols> lengths;
    for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = FixedSymbolBits(i);
    std::array<uint8_t, kDistanceSymbols> distances;
    distances.fill(kFixedDistanceBits);
    symbols_.Make(lengths);
    distances_.Make(distances);
    return Status();
  }

  Status ReadCodes() {
    const size_t symbols = Take(5) + kFirstLengthSymbol;
    const size_t distances = Take(5) + 1;
    const size_t steps = Take(4) + 4;
    std::array<uint8_t, kStepSymbols> step_lengths = {};
    for (size_t i = 0; i < steps; ++i) step_lengths[kStepOrder[i]] = static_cast<uint8_t>(Take(3));
    distances_.Make(step_lengths);
    std::array<uint8_t, kFixedSymbols + 32> lengths = {};
    for (size_t i = 0; i < symbols + distances;) {
      const Code step = distances_.At(WindowAt(stream_, at_));
      at_ += step.bits;
      if (step.bits == 0 || is_beyond()) return Unreadable();
      size_t count = 1;
      uint8_t length = static_cast<uint8_t>(step.symbol);
      if (step.symbol >= 16) {
        length = step.symbol == 16 && i > 0 ? lengths[i - 1] : uint8_t{0};
        count = step.symbol == 16 ? 3 + Take(2) : step.symbol == 17 ? 3 + Take(3) : 11 + Take(7);
      }
      if (i + count > symbols + distances) return Unreadable();
      for (; count > 0; --count) lengths[i++] = length;
    }
    if (symbols > kFixedSymbols || distances > kDistanceSymbols) return Unreadable();
    symbols_.Make({lengths.data(), symbols});
    distances_.Make({lengths.data() + symbols, distances});
    return Status();
  }

  // Code by code, until there is as much as is known; a block that ends there is passed.
  Status PassKnown() {
    while (true) {
      const uint64_t window = WindowAt(stream_, at_);
      const Code code = symbols_.At(window);
      if (code.bits == 0 || code.symbol >= kDeflateSymbols || is_beyond()) return Unreadable();
      if (code.symbol == kEndOfBlock) {
        at_ += code.bits;
        return Status();
      }
      if (made_ >= known_bytes_) {
        Cut(at_);
        return Status();
      }
      at_ += code.bits;
      if (code.symbol < kEndOfBlock) {
        ++made_;
        continue;
      }
      const size_t slot = code.symbol - kFirstLengthSymbol;
      made_ += kLengthSlots.base[slot] + Take(kLengthSlots.extra_bits[slot]);
      PIXPRESS_RETURN_IF_ERROR(PassDistance(WindowAt(stream_, at_)));
    }
  }

  Status PassDistance(uint64_t window) {
    const Code code = distances_.At(window);
    if (code.bits == 0) return Unreadable();
    at_ += code.bits + DistanceExtraBits(code.symbol);
    return Status();
  }

  Status PassRest() {
    MakeStrides();
    while (true) {
      const uint64_t window = WindowAt(stream_, at_);
      Stride stride;
      uint32_t bits = 0;
      for (uint32_t i = 0; i < kStridesOfWindow; ++i) {
        stride = strides_[(window >> bits) % strides_.size()];
        bits += stride.bits;
        if (stride.has_length || stride.bits == 0) break;
      }
      at_ += bits;
      if (stride.has_length) {
        PIXPRESS_RETURN_IF_ERROR(PassDistance(WindowAt(stream_, at_)));
      } else if (stride.bits == 0) {
        // A long code, or the end of the block.
        const Code code = symbols_.At(WindowAt(stream_, at_));
        at_ += code.bits;
        if (code.bits == 0 || code.symbol >= kDeflateSymbols || is_beyond()) return Unreadable();
        if (code.symbol == kEndOfBlock) return Status();
        if (code.symbol < kEndOfBlock) continue;
        at_ += kLengthSlots.extra_bits[code.symbol - kFirstLengthSymbol];
        PIXPRESS_RETURN_IF_ERROR(PassDistance(WindowAt(stream_, at_)));
      }
      if (is_beyond()) return Unreadable();
    }
  }

  void MakeStrides() {
    for (uint32_t i = 0; i < strides_.size(); ++i) {
      Stride stride;
      while (!stride.has_length) {
        const Code code = symbols_.ShortAt(i >> stride.bits);
        if (code.bits == 0 || stride.bits + code.bits > kTableBits) break;
        if (code.symbol == kEndOfBlock || code.symbol >= kDeflateSymbols) break;
        stride.bits = static_cast<uint8_t>(stride.bits + code.bits);
        if (code.symbol < kEndOfBlock) continue;
        stride.has_length = true;
        stride.bits = static_cast<uint8_t>(
            stride.bits + kLengthSlots.extra_bits[code.symbol - kFirstLengthSymbol]);
      }
      strides_[i] = stride;
    }
  }

  const std::span<const uint8_t> stream_;
  const size_t known_bytes_;
  size_t at_ = 0;
  size_t made_ = 0;  // Until the cut.
  bool is_cut_ = false;
  DeflateWalk walk_;
  CodeTable symbols_;
  CodeTable distances_;
  std::array<Stride, CodeTable::kEntries> strides_;
};

}  // namespace

uint32_t ReadDeflateBits(std::span<const uint8_t> stream, size_t at, unsigned count) {
  return static_cast<uint32_t>(WindowAt(stream, at) & ((uint64_t{1} << count) - 1));
}

Result<DeflateWalk> WalkDeflate(std::span<const uint8_t> stream, size_t known_bytes) {
  return Walker(stream, known_bytes).Run();
}

}  // namespace pixpress
