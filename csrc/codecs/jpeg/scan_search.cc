#include "codecs/jpeg/scan_search.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "codecs/jpeg/scan_tables.h"

namespace pixpress {
namespace {

// Of tokens per block, those of DC and the end included, for FixedJpegScans.
constexpr uint64_t kSparseTokens = 6;
constexpr uint64_t kDenseTokens = 13;

JpegScan Ac(size_t component, int first, int last, int high, int low) {
  return {static_cast<uint8_t>(component), 1,
          static_cast<uint8_t>(first),     static_cast<uint8_t>(last),
          static_cast<uint8_t>(high),      static_cast<uint8_t>(low)};
}
JpegScan Dc(size_t component, size_t count, int high, int low) {
  return {static_cast<uint8_t>(component), static_cast<uint8_t>(count), 0, 0,
          static_cast<uint8_t>(high),      static_cast<uint8_t>(low)};
}

// Scans that belong together, and what they take.
struct Part {
  JpegScanScript scans;
  uint64_t bits = 0;

  void Add(const Part& other) {
    scans.insert(scans.end(), other.scans.begin(), other.scans.end());
    bits += other.bits;
  }
  void ReplaceIfLarger(Part&& other) {
    if (other.bits < bits) *this = std::move(other);
  }
};

class ScanSearch {
 public:
  ScanSearch(const JpegImageTokens& image, bool is_thorough, JpegScanCounts& counts)
      : image_(image), is_thorough_(is_thorough), counts_(counts) {}

  Result<JpegScanScript> Run() {
    JpegScanScript best = FixedJpegScans(image_);
    PIXPRESS_ASSIGN_OR_RETURN(uint64_t least, SharedBits(best));
    for (const bool is_apart : {false, true}) {
      if (is_apart && !is_thorough_) break;
      PIXPRESS_ASSIGN_OR_RETURN(JpegScanScript script, Choose(is_apart));
      PIXPRESS_ASSIGN_OR_RETURN(const uint64_t bits, SharedBits(script));
      if (bits >= least) continue;
      least = bits;
      best = std::move(script);
    }
    return best;
  }

 private:
  // The best scans, each with a table of its own.
  Result<JpegScanScript> Choose(bool is_apart) {
    const size_t components = image_.frame().component_count;
    // All that is sure to be looked at, at the same time.
    JpegScanScript wanted = DcScans();
    for (size_t c = 0; c < components; ++c) AddAcScans(c, is_apart, &wanted);
    PIXPRESS_RETURN_IF_ERROR(counts_.Count(wanted));
    Part all = ChooseDc();
    for (size_t c = 0; c < components; ++c) {
      PIXPRESS_ASSIGN_OR_RETURN(const Part own, ChooseAc(c, is_apart));
      all.Add(own);
    }
    // What is seen first comes first; a scan that refines comes after those that it refines.
    std::ranges::stable_sort(all.scans, {}, [](const JpegScan& scan) {
      return std::pair(scan.high == 0 ? 0 : 16 - scan.high, !scan.is_dc());
    });
    return std::move(all.scans);
  }

  static uint64_t HeadBits(const JpegScan& scan) {
    return (uint64_t{8} + 2 * scan.component_count) * 8;
  }
  // What all scans take when they share tables.
  Result<uint64_t> SharedBits(const JpegScanScript& script) {
    PIXPRESS_RETURN_IF_ERROR(counts_.Count(script));
    std::vector<JpegScanSymbols> symbols;
    uint64_t bits = 0;
    for (const JpegScan& scan : script) {
      symbols.push_back(counts_.Of(scan));
      bits += HeadBits(scan) + symbols.back().other_bits;
      if (!symbols.back().is_valid) return kNever;
    }
    return bits + ShareJpegTables(script, symbols).bits;
  }
  // What a scan that was counted takes with the markers and the table before it.
  uint64_t BitsOf(const JpegScan& scan) {
    for (const auto& [known, bits] : bits_) {
      if (known == scan) return bits;
    }
    const JpegScanSymbols& symbols = counts_.Of(scan);
    uint64_t bits = HeadBits(scan) + symbols.other_bits;
    for (const JpegSymbolCounts& counts : symbols.counts) {
      if (counts != JpegSymbolCounts{}) bits += kTableHeadBits + JpegTableBits(counts);
    }
    bits_.emplace_back(scan, symbols.is_valid ? bits : kNever);
    return bits_.back().second;
  }
  Part PartOf(std::initializer_list<JpegScan> scans) {
    Part part{scans, 0};
    for (const JpegScan& scan : scans) part.bits += BitsOf(scan);
    return part;
  }

  JpegScanScript DcScans() const {
    const size_t count = image_.frame().component_count;
    JpegScanScript scans = {Dc(0, count, 0, 0), Dc(0, count, 0, 1), Dc(0, count, 1, 0)};
    for (size_t c = 0; c < count && count > 1; ++c) scans.push_back(Dc(c, 1, 0, 0));
    return scans;
  }
  Part ChooseDc() {
    const size_t count = image_.frame().component_count;
    Part best = PartOf({Dc(0, count, 0, 0)});
    best.ReplaceIfLarger(PartOf({Dc(0, count, 0, 1), Dc(0, count, 1, 0)}));
    if (count == 1) return best;
    best.ReplaceIfLarger(PartOf({Dc(0, 1, 0, 0), Dc(1, 1, 0, 0), Dc(2, 1, 0, 0)}));
    return best;
  }

  static bool IsWithin(int end, int first, int last) { return end >= first && end < last; }
  // What ChooseLow looks at with so many bits left for later.
  static void AddLowScans(size_t component, int first, int last, int low, JpegScanScript* scans) {
    if (low > 0) scans->push_back(Ac(component, first, last, low, low - 1));
    scans->push_back(Ac(component, first, last, 0, low));
    for (const int end : kSplits) {
      if (!IsWithin(end, first, last)) continue;
      scans->push_back(Ac(component, first, end, 0, low));
      scans->push_back(Ac(component, end + 1, last, 0, low));
    }
  }
  // What ChooseAc looks at in any case.
  static void AddAcScans(size_t component, bool is_apart, JpegScanScript* scans) {
    for (const int low : {0, 1}) {
      AddLowScans(component, 1, 63, low, scans);
      for (const int end : kSplits) {
        if (!is_apart) break;
        AddLowScans(component, 1, end, low, scans);
        AddLowScans(component, end + 1, 63, low, scans);
      }
    }
  }

  // The first scans of some coefficients, all with the same bits left for later.
  Part ChooseBands(size_t component, int first, int last, int low) {
    Part best = PartOf({Ac(component, first, last, 0, low)});
    for (const int end : kSplits) {
      if (!IsWithin(end, first, last)) continue;
      best.ReplaceIfLarger(
          PartOf({Ac(component, first, end, 0, low), Ac(component, end + 1, last, 0, low)}));
    }
    return best;
  }
  // Everything of some coefficients of a component.
  Result<Part> ChooseLow(size_t component, int first, int last) {
    Part best, later;
    for (int low = 0; low <= kMostLow; ++low) {
      JpegScanScript wanted;
      AddLowScans(component, first, last, low, &wanted);
      PIXPRESS_RETURN_IF_ERROR(counts_.Count(wanted));
      if (low > 0) {
        Part refined = PartOf({Ac(component, first, last, low, low - 1)});
        refined.Add(later);
        later = std::move(refined);
      }
      Part all = ChooseBands(component, first, last, low);
      all.Add(later);
      if (low > 0 && all.bits >= best.bits) break;
      best = std::move(all);
    }
    return best;
  }
  Result<Part> ChooseAc(size_t component, bool is_apart) {
    PIXPRESS_ASSIGN_OR_RETURN(Part best, ChooseLow(component, 1, 63));
    if (!is_apart) return best;
    // Low and high frequencies apart, with as many bits left for later as suits each.
    for (const int end : kSplits) {
      PIXPRESS_ASSIGN_OR_RETURN(Part other, ChooseLow(component, 1, end));
      PIXPRESS_ASSIGN_OR_RETURN(const Part upper, ChooseLow(component, end + 1, 63));
      other.Add(upper);
      best.ReplaceIfLarger(std::move(other));
    }
    return best;
  }

  static constexpr std::array kSplits = {2, 5, 9, 18};  // Ends of the lower of two bands.
  static constexpr int kMostLow = 3;
  static constexpr uint64_t kTableHeadBits = 4 * 8;
  static constexpr uint64_t kNever = uint64_t{1} << 48;
  const JpegImageTokens& image_;
  const bool is_thorough_;
  JpegScanCounts& counts_;
  std::vector<std::pair<JpegScan, uint64_t>> bits_;  // Of scans, as BitsOf.
};

}  // namespace

JpegScanScript FixedJpegScans(const JpegImageTokens& image) {
  const JpegFrame& frame = image.frame();
  const uint64_t blocks = uint64_t{frame.mcu_columns} * frame.mcu_blocks() * frame.mcu_rows;
  const bool is_dense = image.token_count() >= blocks * kDenseTokens;
  const bool is_sparse = image.token_count() < blocks * kSparseTokens;
  const size_t count = frame.component_count;
  const int low = is_dense ? 1 : 0;
  JpegScanScript scans = {Dc(0, count, 0, low)};
  if (is_dense) {
    scans.insert(scans.end(), {Ac(0, 1, 5, 0, 2), Ac(0, 6, 63, 0, 2), Ac(0, 1, 63, 2, 1)});
  } else if (is_sparse) {
    scans.insert(scans.end(), {Ac(0, 1, 2, 0, 0), Ac(0, 3, 63, 0, 0)});
  } else {
    scans.insert(scans.end(), {Ac(0, 1, 8, 0, 1), Ac(0, 9, 63, 0, 1), Ac(0, 1, 63, 1, 0)});
  }
  for (size_t c = 1; c < count; ++c) scans.push_back(Ac(c, 1, 63, 0, low));
  if (!is_dense) return scans;
  scans.push_back(Dc(0, count, 1, 0));
  for (size_t c = 0; c < count; ++c) scans.push_back(Ac(c, 1, 63, 1, 0));
  return scans;
}

Result<JpegScanScript> SearchJpegScans(const JpegImageTokens& image, bool is_thorough,
                                       JpegScanCounts* counts) {
  return ScanSearch(image, is_thorough, *counts).Run();
}

}  // namespace pixpress
