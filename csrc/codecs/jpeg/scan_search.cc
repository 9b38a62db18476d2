#include "codecs/jpeg/scan_search.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "codecs/jpeg/scan_coder.h"
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
};

class ScanSearch {
 public:
  ScanSearch(const JpegImageTokens& image, bool is_thorough, const WorkContext& context)
      : image_(image), is_thorough_(is_thorough), context_(context) {}

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
  struct Known {
    JpegScan scan;
    JpegScanSymbols symbols;
    uint64_t bits;
  };

  // The best scans, each with a table of its own.
  Result<JpegScanScript> Choose(bool is_apart) {
    PIXPRESS_ASSIGN_OR_RETURN(Part all, ChooseDc());
    for (size_t c = 0; c < image_.frame().component_count; ++c) {
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
    std::vector<JpegScanSymbols> symbols;
    uint64_t bits = 0;
    for (const JpegScan& scan : script) {
      PIXPRESS_ASSIGN_OR_RETURN(const size_t known, Count(scan));
      symbols.push_back(known_[known].symbols);
      bits += HeadBits(scan) + symbols.back().other_bits;
      if (!symbols.back().is_valid) return kNever;
    }
    return bits + ShareJpegTables(script, symbols).bits;
  }
  // Where in `known_` the scan is.
  Result<size_t> Count(const JpegScan& scan) {
    for (size_t i = 0; i < known_.size(); ++i) {
      if (known_[i].scan == scan) return i;
    }
    Known known{scan, {}, HeadBits(scan)};
    PIXPRESS_ASSIGN_OR_RETURN(known.symbols, CountJpegScan(image_, scan, context_));
    known.bits += known.symbols.other_bits;
    for (const JpegSymbolCounts& counts : known.symbols.counts) {
      if (counts != JpegSymbolCounts{}) known.bits += kTableHeadBits + JpegTableBits(counts);
    }
    if (!known.symbols.is_valid) known.bits = kNever;
    known_.push_back(known);
    return known_.size() - 1;
  }
  // What a scan takes with the markers and the table before it.
  Result<Part> Cost(const JpegScan& scan) {
    PIXPRESS_ASSIGN_OR_RETURN(const size_t known, Count(scan));
    return Part{{scan}, known_[known].bits};
  }
  Result<Part> Cost(std::span<const JpegScan> scans) {
    Part sum;
    for (const JpegScan& scan : scans) {
      PIXPRESS_ASSIGN_OR_RETURN(const Part part, Cost(scan));
      sum.Add(part);
    }
    return sum;
  }

  Result<Part> ChooseDc() {
    const size_t count = image_.frame().component_count;
    PIXPRESS_ASSIGN_OR_RETURN(Part best, Cost(Dc(0, count, 0, 0)));
    const JpegScan in_two[] = {Dc(0, count, 0, 1), Dc(0, count, 1, 0)};
    PIXPRESS_ASSIGN_OR_RETURN(Part other, Cost(in_two));
    if (other.bits < best.bits) best = std::move(other);
    if (count == 1) return best;
    const JpegScan apart[] = {Dc(0, 1, 0, 0), Dc(1, 1, 0, 0), Dc(2, 1, 0, 0)};
    PIXPRESS_ASSIGN_OR_RETURN(other, Cost(apart));
    if (other.bits < best.bits) best = std::move(other);
    return best;
  }

  // The first scans of some coefficients, all with the same bits left for later.
  Result<Part> ChooseBands(size_t component, int first, int last, int low) {
    PIXPRESS_ASSIGN_OR_RETURN(Part best, Cost(Ac(component, first, last, 0, low)));
    for (const int end : kSplits) {
      if (end < first || end >= last) continue;
      const JpegScan two[] = {Ac(component, first, end, 0, low),
                              Ac(component, end + 1, last, 0, low)};
      PIXPRESS_ASSIGN_OR_RETURN(Part other, Cost(two));
      if (other.bits < best.bits) best = std::move(other);
    }
    return best;
  }
  // Everything of some coefficients of a component.
  Result<Part> ChooseLow(size_t component, int first, int last) {
    Part best, later;
    for (int low = 0; low <= kMostLow; ++low) {
      if (low > 0) {
        PIXPRESS_ASSIGN_OR_RETURN(Part refined, Cost(Ac(component, first, last, low, low - 1)));
        refined.Add(later);
        later = std::move(refined);
      }
      PIXPRESS_ASSIGN_OR_RETURN(Part all, ChooseBands(component, first, last, low));
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
      if (other.bits < best.bits) best = std::move(other);
    }
    return best;
  }

  static constexpr std::array kSplits = {2, 5, 9, 18};  // Ends of the lower of two bands.
  static constexpr int kMostLow = 3;
  static constexpr uint64_t kTableHeadBits = 4 * 8;
  static constexpr uint64_t kNever = uint64_t{1} << 48;
  const JpegImageTokens& image_;
  const bool is_thorough_;
  const WorkContext& context_;
  std::vector<Known> known_;
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
                                       const WorkContext& context) {
  return ScanSearch(image, is_thorough, context).Run();
}

}  // namespace pixpress
