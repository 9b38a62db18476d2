#include "codecs/jpeg/scan_coder.h"

#include <bit>
#include <utility>

namespace pixpress {
namespace {

constexpr uint32_t kZeroRun = 0xF0;
constexpr uint32_t kMostEndRun = 0x7FFF;
// Of blocks that wait for the end of their run, as decoders' buffers need no limit.
constexpr size_t kMostCorrections = 4096;

class Counter {
 public:
  explicit Counter(JpegScanSymbols& symbols) : symbols_(symbols) {}
  void Symbol(size_t table, uint32_t symbol) { ++symbols_.counts[table][symbol]; }
  void Bits(uint32_t, uint32_t count) { symbols_.other_bits += count; }
  void Corrections(const uint8_t*, size_t count) { symbols_.other_bits += count; }
  void TooLarge() { symbols_.is_valid = false; }
  bool MakeRoom() { return true; }

 private:
  JpegScanSymbols& symbols_;
};

class Writer {
 public:
  Writer(const std::array<const JpegHuffmanSpec*, 3>& tables, JpegBitWriter& writer)
      : writer_(writer), packer_(writer.packer()) {
    for (size_t t = 0; t < tables.size(); ++t) {
      if (tables[t] != nullptr) codes_[t] = MakeJpegCodes(*tables[t]);
    }
  }
  void Symbol(size_t table, uint32_t symbol) {
    const JpegCode code = codes_[table][symbol];
    packer_.Put(code.code, code.total_bits - (symbol & 15));
  }
  void Bits(uint32_t bits, uint32_t count) { packer_.Put(bits, count); }
  void Corrections(const uint8_t* bits, size_t count) {
    for (size_t i = 0; i < count; ++i) packer_.Put(bits[i], 1);
  }
  void TooLarge() {}
  // What a block puts is far less than the writer has room for.
  bool MakeRoom() {
    writer_.packer() = packer_;
    status_ = writer_.Flush();
    packer_ = writer_.packer();
    return status_.ok();
  }
  Status Finish() {
    PIXPRESS_RETURN_IF_ERROR(status_);
    writer_.packer() = packer_;
    return writer_.Finish();
  }

 private:
  JpegBitWriter& writer_;
  JpegBitPacker packer_;
  std::array<JpegCodeTable, 3> codes_ = {};
  Status status_;
};

// Walks a scan, row by row of MCUs, and puts what it consists of.
template <typename Sink>
class ScanCoder {
 public:
  ScanCoder(const JpegImageTokens& image, const JpegScan& scan, Sink& sink)
      : image_(image), scan_(scan), sink_(sink) {}

  // False if the sink has no room.
  bool PutRow(uint32_t mcu_row) {
    if (scan_.is_dc()) return scan_.component_count == 1 ? PutDcRows(mcu_row) : PutDcMcus(mcu_row);
    const std::span<const JpegToken> tokens = image_.Ac(scan_.component, mcu_row);
    const JpegToken* next = tokens.data();
    const JpegToken* const end = next + tokens.size();
    while (next < end) {
      next = scan_.high == 0 ? PutFirst(next) : PutRefinement(next);
      if (!sink_.MakeRoom()) return false;
    }
    return true;
  }
  void Finish() { PutEndRun(); }

 private:
  // What of a block the scan is about: values that are not 0 with the bits so far.
  struct Band {
    std::array<uint8_t, 64> position;
    std::array<uint16_t, 64> magnitude;  // Without the bits that are left for later.
    std::array<int16_t, 64> sign;        // -1 or 0
    uint32_t count = 0;
  };

  bool PutDcRows(uint32_t mcu_row) {
    const size_t c = scan_.component;
    const uint32_t v = image_.frame().components[c].v;
    for (uint32_t y = mcu_row * v; y < (mcu_row + 1) * v && y < image_.rows(c); ++y) {
      const int16_t* const row = image_.Dc(c, y);
      for (uint32_t x = 0; x < image_.columns(c); ++x) {
        PutDc(c, row[x]);
        if (!sink_.MakeRoom()) return false;
      }
    }
    return true;
  }
  bool PutDcMcus(uint32_t mcu_row) {
    const JpegFrame& frame = image_.frame();
    for (uint32_t column = 0; column < frame.mcu_columns; ++column) {
      for (size_t c = scan_.component; c < size_t{scan_.component} + scan_.component_count; ++c) {
        const JpegFrameComponent& own = frame.components[c];
        for (uint32_t y = 0; y < own.v; ++y) {
          const int16_t* const row = image_.Dc(c, mcu_row * own.v + y) + column * own.h;
          for (uint32_t x = 0; x < own.h; ++x) PutDc(c, row[x]);
        }
      }
      if (!sink_.MakeRoom()) return false;
    }
    return true;
  }
  void PutDc(size_t component, int32_t dc) {
    if (scan_.high != 0) return sink_.Bits(static_cast<uint32_t>(dc >> scan_.low) & 1, 1);
    const int32_t now = dc >> scan_.low;
    const int32_t difference = now - std::exchange(last_dc_[component], now);
    const int32_t value = difference - (difference < 0 ? 1 : 0);
    const auto size = static_cast<uint32_t>(
        std::bit_width(static_cast<uint32_t>(difference < 0 ? -difference : difference)));
    if (size > JpegDecodeTable::kMaxDcBits) return sink_.TooLarge();
    sink_.Symbol(component - scan_.component, size);
    sink_.Bits(static_cast<uint32_t>(value) & ((1u << size) - 1), size);
  }

  // Returns the begin of the next block.
  const JpegToken* Read(const JpegToken* next, Band& band) const {
    uint32_t k = 0, count = 0;
    for (; !IsJpegEnd(*next); ++next) {
      k += (*next >> 12) + 1;
      const int32_t value = static_cast<int32_t>(uint32_t{*next} << 20) >> 20;
      const int32_t sign = value >> 31;
      const uint32_t magnitude = static_cast<uint32_t>(value ^ sign) >> scan_.low;
      band.position[count] = static_cast<uint8_t>(k);
      band.magnitude[count] = static_cast<uint16_t>(magnitude);
      band.sign[count] = static_cast<int16_t>(sign);
      const bool is_inside = k >= scan_.first && k <= scan_.last;
      count += is_inside && magnitude != 0 ? 1 : 0;
    }
    band.count = count;
    return next + 1;
  }

  const JpegToken* PutFirst(const JpegToken* next) {
    next = Read(next, band_);
    uint32_t last = scan_.first - 1u;
    for (uint32_t i = 0; i < band_.count; ++i) {
      PutEndRun();
      const uint32_t run = PutZeroRuns(band_.position[i] - last - 1u);
      const uint32_t magnitude = band_.magnitude[i];
      const auto size = static_cast<uint32_t>(std::bit_width(magnitude));
      sink_.Symbol(0, run << 4 | size);
      const uint32_t bits = magnitude ^ static_cast<uint32_t>(int32_t{band_.sign[i]});
      sink_.Bits(bits & ((1u << size) - 1), size);
      last = band_.position[i];
    }
    if (last < scan_.last && ++end_run_ == kMostEndRun) PutEndRun();
    return next;
  }

  const JpegToken* PutRefinement(const JpegToken* next) {
    next = Read(next, band_);
    uint32_t new_count = band_.count;  // Up to the last value that is new.
    while (new_count > 0 && band_.magnitude[new_count - 1] != 1) --new_count;
    uint32_t run = 0, last = scan_.first - 1u;
    block_corrections_ = 0;
    for (uint32_t i = 0; i < band_.count; ++i) {
      run += band_.position[i] - last - 1u;
      last = band_.position[i];
      if (i < new_count && run > 15) {
        PutEndRun();
        for (; run > 15; run -= 16) {
          sink_.Symbol(0, kZeroRun);
          PutBlockCorrections();
        }
      }
      if (band_.magnitude[i] > 1) {
        corrections_[run_corrections_ + block_corrections_++] = band_.magnitude[i] & 1;
        continue;
      }
      PutEndRun();
      sink_.Symbol(0, run << 4 | 1);
      sink_.Bits(band_.sign[i] == 0 ? 1 : 0, 1);
      PutBlockCorrections();
      run = 0;
    }
    if (last < scan_.last || run > 0 || block_corrections_ > 0) {
      run_corrections_ += block_corrections_;
      block_corrections_ = 0;
      const bool is_full = run_corrections_ + 64 > kMostCorrections;
      if (++end_run_ == kMostEndRun || is_full) PutEndRun();
    }
    return next;
  }

  uint32_t PutZeroRuns(uint32_t run) {
    for (; run > 15; run -= 16) sink_.Symbol(0, kZeroRun);
    return run;
  }
  // The blocks before this one that have nothing left, with their corrections; those of this block
  // move to the front.
  void PutEndRun() {
    if (end_run_ == 0) return;
    const auto size = static_cast<uint32_t>(std::bit_width(end_run_)) - 1;
    sink_.Symbol(0, size << 4);
    sink_.Bits(end_run_ - (1u << size), size);
    end_run_ = 0;
    sink_.Corrections(corrections_.data(), run_corrections_);
    for (uint32_t i = 0; i < block_corrections_; ++i) {
      corrections_[i] = corrections_[run_corrections_ + i];
    }
    run_corrections_ = 0;
  }
  void PutBlockCorrections() {
    sink_.Corrections(corrections_.data(), block_corrections_);
    block_corrections_ = 0;
  }

  const JpegImageTokens& image_;
  const JpegScan scan_;
  Sink& sink_;
  Band band_;
  std::array<int32_t, 3> last_dc_ = {};
  uint32_t end_run_ = 0;
  // Bits of values that were coded before: of the run of ends, then of this block.
  std::array<uint8_t, kMostCorrections> corrections_;
  uint32_t run_corrections_ = 0;
  uint32_t block_corrections_ = 0;
};

template <typename Sink>
Status CodeScan(const JpegImageTokens& image, const JpegScan& scan, const WorkContext& context,
                Sink& sink) {
  ScanCoder<Sink> coder(image, scan, sink);
  for (uint32_t row = 0; row < image.frame().mcu_rows; ++row) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    if (!coder.PutRow(row)) return Status();
  }
  coder.Finish();
  return Status();
}

}  // namespace

Result<JpegScanSymbols> CountJpegScan(const JpegImageTokens& image, const JpegScan& scan,
                                      const WorkContext& context) {
  JpegScanSymbols symbols;
  Counter counter(symbols);
  PIXPRESS_RETURN_IF_ERROR(CodeScan(image, scan, context, counter));
  return symbols;
}

Status WriteJpegScan(const JpegImageTokens& image, const JpegScan& scan,
                     const std::array<const JpegHuffmanSpec*, 3>& tables,
                     const WorkContext& context, JpegBitWriter* writer) {
  Writer sink(tables, *writer);
  PIXPRESS_RETURN_IF_ERROR(CodeScan(image, scan, context, sink));
  return sink.Finish();
}

}  // namespace pixpress
