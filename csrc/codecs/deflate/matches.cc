#include "codecs/deflate/matches.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "codecs/deflate/symbols.h"

namespace pixpress {
namespace {

constexpr uint32_t kHashBits = 15;
constexpr size_t kPollBytes = 64u << 10;
constexpr uint32_t kShortRun = 4;     // No run: its first four bytes say nothing of a period.
constexpr uint32_t kLongRun = 255;    // Or longer.
constexpr size_t kMatchesOfByte = 2;  // That there is room for, on average.
constexpr size_t kMatchesOfPlace = 32;
constexpr int32_t kNone = -1;

using Places = std::array<int32_t, 1u << kHashBits>;
static_assert(1u << kHashBits == kDeflateWindowBytes);

// Places of the window in the order of what follows them, a tree for each hash: nearer ones are
// above farther ones.
struct Trees {
  Trees() { roots.fill(kNone); }
  int32_t* Children(size_t place) { return children.data() + 2 * (place % kDeflateWindowBytes); }

  Places roots;
  std::array<int32_t, 2 * kDeflateWindowBytes> children;  // What sorts before and behind a place.
};

struct Memory {
  Trees plain;
  Trees runs;
  Places three;  // Where the same three bytes were last.
};

// The matches of one place that none is longer and nearer than.
class BestMatches {
 public:
  void Clear() { count_ = 0; }
  void Add(uint32_t length, uint32_t distance) {
    size_t end = 0;
    while (end < count_ && matches_[end].length < length) ++end;
    if (end < count_ && matches_[end].distance <= distance) return;
    size_t begin = end;
    while (begin > 0 && matches_[begin - 1].distance >= distance) --begin;
    if (end < count_ && matches_[end].length == length) ++end;
    if (begin == end && count_ == matches_.size()) return;
    Replace(begin, end, {static_cast<uint16_t>(length), static_cast<uint16_t>(distance)});
  }
  std::span<const DeflateMatch> all() const { return {matches_.data(), count_}; }

 private:
  void Replace(size_t begin, size_t end, DeflateMatch match) {
    const size_t tail = count_ - end;
    DeflateMatch* const first = matches_.data();
    std::memmove(first + begin + 1, first + end, tail * sizeof(DeflateMatch));
    matches_[begin] = match;
    count_ = begin + 1 + tail;
  }

  std::array<DeflateMatch, kMatchesOfPlace> matches_;
  size_t count_ = 0;
};

}  // namespace

class MatchFinder {
 public:
  MatchFinder(std::span<const uint8_t> all, size_t known_bytes, size_t period_bytes,
              const DeflateSearch& search)
      : data_(all.data()),
        size_(all.size()),
        known_bytes_(known_bytes),
        period_bytes_(period_bytes),
        search_(search) {}

  Status Init(Meter& meter) {
    PIXPRESS_ASSIGN_OR_RETURN(memory_buffer_, meter.Allocate(sizeof(Memory)));
    memory_ = new (memory_buffer_.data()) Memory();
    memory_->three.fill(kNone);
    PIXPRESS_ASSIGN_OR_RETURN(runs_, meter.Allocate(size_ + 1));
    room_ = kMatchesOfByte * (size_ - known_bytes_);
    PIXPRESS_ASSIGN_OR_RETURN(found_.matches_memory_, meter.Allocate(room_ * sizeof(DeflateMatch)));
    PIXPRESS_ASSIGN_OR_RETURN(found_.begins_memory_,
                              meter.Allocate((size_ - known_bytes_ + 1) * sizeof(uint32_t)));
    found_.matches_ = found_.matches_memory_.as<DeflateMatch>();
    found_.begins_ = found_.begins_memory_.as<uint32_t>();
    return Status();
  }

  Result<DeflateMatches> Run(const StopToken& stop) {
    MeasureRuns();
    for (size_t place = 0; place < size_; ++place) {
      if (place % kPollBytes == 0) PIXPRESS_RETURN_IF_ERROR(stop.Poll());
      if (place >= known_bytes_) found_.begins_[place - known_bytes_] = count_;
      // Whole words are read from here on.
      if (size_ - place >= kFewestLeft) Visit(place);
    }
    found_.begins_[size_ - known_bytes_] = count_;
    return std::move(found_);
  }

 private:
  static constexpr size_t kFewestLeft = 8;

  struct Keys {
    uint32_t plain = 0, three = 0, run = 0;
    bool is_plain = true, is_run = false;
  };

  // How many bytes from each on equal those a period behind them.
  void MeasureRuns() {
    uint8_t* runs = runs_.data();
    std::memset(runs, 0, size_ + 1);
    if (size_ <= period_bytes_) return;
    for (size_t place = size_ - period_bytes_; place-- > 0;) {
      const bool repeats = data_[place] == data_[place + period_bytes_];
      runs[place] = repeats
                        ? static_cast<uint8_t>(std::min<uint32_t>(runs[place + 1] + 1, kLongRun))
                        : uint8_t{0};
    }
  }

  Keys KeysAt(size_t place) const {
    constexpr uint32_t kShift = 32 - kHashBits;
    const uint32_t first = Load32(place);  // Four bytes.
    Keys keys;
    keys.plain = first * 0x9E3779B1u >> kShift;
    keys.three = (first << 8) * 0x9E3779B1u >> kShift;
    const uint32_t run = runs_.data()[place];
    if (run < kShortRun) return keys;
    // The first place of a run may repeat the begin of any other.
    keys.is_plain = place == 0 || runs_.data()[place - 1] < run;
    keys.is_run = run < kLongRun;
    const size_t behind = place + run + period_bytes_;
    const uint32_t tail = behind + 2 <= size_ ? Load16(behind) : 0;
    const uint32_t mixed = first * 0x9E3779B1u ^ (tail << 8 | run) * 0x85EBCA6Bu;
    keys.run = mixed * 0xC2B2AE35u >> kShift;
    return keys;
  }

  void Visit(size_t place) {
    const Keys keys = KeysAt(place);
    if (place >= known_bytes_ && place >= next_) {
      Search(place, keys);
    } else {
      const uint32_t most = MostAt(place);
      if (keys.is_plain) Insert<false>(&memory_->plain, keys.plain, place, search_.depth, most);
      if (keys.is_run) Insert<false>(&memory_->runs, keys.run, place, search_.run_depth, most);
    }
    memory_->three[keys.three] = static_cast<int32_t>(place);
  }

  uint32_t MostAt(size_t place) const {
    return static_cast<uint32_t>(std::min<size_t>(kLongestMatch, size_ - place));
  }

  void Search(size_t place, const Keys& keys) {
    const uint32_t most = MostAt(place);
    best_.Clear();
    // The match of the byte before goes on.
    if (last_.length > kShortestMatch) best_.Add(last_.length - 1u, last_.distance);
    if (place >= period_bytes_) Compare(place, place - period_bytes_, most);
    const int32_t three = memory_->three[keys.three];
    if (three != kNone && place - static_cast<size_t>(three) < kDeflateWindowBytes) {
      Compare(place, static_cast<size_t>(three), most);
    }
    if (keys.is_plain) Insert<true>(&memory_->plain, keys.plain, place, search_.depth, most);
    if (keys.is_run) Insert<true>(&memory_->runs, keys.run, place, search_.run_depth, most);
    Keep(place);
  }

  void Compare(size_t place, size_t other, uint32_t most) {
    const uint32_t length = LengthFrom(0, place, other, most);
    if (length >= kShortestMatch) best_.Add(length, static_cast<uint32_t>(place - other));
  }

  // Makes a place the root of its tree; the others are sorted anew on the way down, and compared.
  template <bool kSearches>
  void Insert(Trees* trees, uint32_t hash, size_t place, int depth, uint32_t most) {
    int32_t other = std::exchange(trees->roots[hash], static_cast<int32_t>(place));
    int32_t* before = trees->Children(place);
    int32_t* behind = before + 1;
    const uint32_t enough = std::min(most, search_.enough_bytes);
    uint32_t longest = kShortestMatch, length_before = 0, length_behind = 0;
    for (; other != kNone && depth > 0; --depth) {
      const auto at = static_cast<size_t>(other);
      const size_t distance = place - at;
      if (distance >= kDeflateWindowBytes) break;
      int32_t* const children = trees->Children(at);
      const uint32_t length = LengthFrom(std::min(length_before, length_behind), place, at, most);
      if (kSearches && length > longest) {
        best_.Add(length, static_cast<uint32_t>(distance));
        longest = length;
      }
      if (length >= enough) {
        *before = children[0];
        *behind = children[1];
        return;
      }
      if (data_[at + length] < data_[place + length]) {
        *before = other;
        before = children + 1;
        other = *before;
        length_before = length;
      } else {
        *behind = other;
        behind = children;
        other = *behind;
        length_behind = length;
      }
    }
    *before = *behind = kNone;
  }

  void Keep(size_t place) {
    std::span<const DeflateMatch> kept = best_.all();
    last_ = kept.empty() ? DeflateMatch() : kept.back();
    // There is always room for one match of each byte that is left.
    if (count_ + kept.size() + (size_ - place) > room_ && !kept.empty()) kept = kept.last(1);
    std::copy(kept.begin(), kept.end(), found_.matches_ + count_);
    count_ += static_cast<uint32_t>(kept.size());
    if (last_.length < search_.enough_bytes) return;
    next_ = place + last_.length;
    last_ = {};
  }

  static int FirstBit(uint64_t word) {
    const bool is_little = std::endian::native == std::endian::little;
    return is_little ? std::countr_zero(word) : std::countl_zero(word);
  }
  // How many bytes are equal; the first `length` are.
  uint32_t LengthFrom(uint32_t length, size_t a, size_t b, uint32_t most) const {
    for (; length + 8 <= most; length += 8) {
      const uint64_t different = Load64(a + length) ^ Load64(b + length);
      if (different != 0) {
        return length + static_cast<uint32_t>(FirstBit(different)) / 8;
      }
    }
    while (length < most && data_[a + length] == data_[b + length]) ++length;
    return length;
  }

  uint32_t Load16(size_t place) const { return data_[place] | uint32_t{data_[place + 1]} << 8; }
  uint32_t Load32(size_t place) const { return Load16(place) | Load16(place + 2) << 16; }
  // As the machine has it.
  uint64_t Load64(size_t place) const {
    uint64_t word;
    std::memcpy(&word, data_ + place, sizeof(word));
    return word;
  }

  const uint8_t* const data_;
  const size_t size_;
  const size_t known_bytes_;
  const size_t period_bytes_;
  const DeflateSearch search_;
  Buffer memory_buffer_;
  Memory* memory_ = nullptr;
  Buffer runs_;
  DeflateMatches found_;
  size_t room_ = 0;
  uint32_t count_ = 0;
  size_t next_ = 0;  // Where the next search may be.
  DeflateMatch last_;
  BestMatches best_;
};

Result<DeflateMatches> DeflateMatches::Find(std::span<const uint8_t> data, size_t known_bytes,
                                            size_t period_bytes, const DeflateSearch& search,
                                            const StopToken& stop, Meter& meter) {
  MatchFinder finder({data.data() - known_bytes, data.size() + known_bytes}, known_bytes,
                     period_bytes, search);
  PIXPRESS_RETURN_IF_ERROR(finder.Init(meter));
  return finder.Run(stop);
}

uint64_t DeflateMatches::MemoryBytes(size_t data_bytes, size_t known_bytes) {
  const uint64_t of_byte = kMatchesOfByte * sizeof(DeflateMatch) + sizeof(uint32_t) + 1;
  return SaturatingMul(data_bytes + 1, of_byte) + known_bytes + sizeof(Memory);
}

}  // namespace pixpress
