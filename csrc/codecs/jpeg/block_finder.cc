#include "codecs/jpeg/block_finder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/inverse_dct.h"

namespace pixpress {
namespace {

constexpr size_t kChunkBytes = 12 << 10;  // Of each way.
constexpr size_t kFewestChunkBytes = 1 << 10;
constexpr size_t kMostBlocks = 8 << 10;
// How far a way goes beyond the begin of the next one at first, by how much more it does if they do
// not meet, and how far at most. Of 1200 places in photographs half met after 150 bytes, and all
// after 1150.
constexpr uint32_t kOverlapBits = 8 * 192;
constexpr uint32_t kMoreBits = 8 * 128;
constexpr size_t kMeetBytes = 1536;
// What is not read for certain: an MCU, and what a reader looks ahead.
constexpr size_t kReserveBytes = kMeetBytes + JpegScanWindow::kMcuBytes;
constexpr size_t kLookups = 3;  // Of a round.
constexpr uint32_t kRoundBits = kLookups * JpegSkipTable::kMostSkippedBits;
constexpr uint64_t kMostRounds = 32;

constexpr size_t kDataBytes = JpegBlockFinder::kWays * kChunkBytes + kReserveBytes;
constexpr size_t kBeginsBytes = (kMostBlocks + 2) * sizeof(uint32_t);

uint64_t Load(const uint8_t* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
  return word;
}

constexpr uint32_t BeginBit(uint32_t begin) { return begin >> JpegSkipTable::kStepBits; }

// The bits from one on, at least 57 of them.
uint64_t BitsAt(const uint8_t* bytes, uint64_t bit) { return Load(bytes + bit / 8) << (bit % 8); }

}  // namespace

uint64_t JpegBlockFinder::MemoryBytes() {
  return BufferPool::CapacityFor(kDataBytes + JpegScanWindow::kMcuBytes) +
         BufferPool::CapacityFor(kWays * kBeginsBytes);
}

Status JpegBlockFinder::Start(const JpegFrame& frame, JpegEntropyDecoder& decoder,
                              const SkipTables& dc, const SkipTables& ac, Meter& meter) {
  frame_ = &frame;
  decoder_ = &decoder;
  mcu_blocks_ = frame.mcu_blocks();
  Due* next = due_.data();
  for (size_t c = 0; c < frame.component_count; ++c) {
    for (int i = 0; i < frame.components[c].h * frame.components[c].v; ++i) {
      *next = {dc[c], next + 1, ~JpegSkipTable::kStepMask, &decoder.dc_table(c), true};
      ++next;
      *next = {ac[c], next + 1, ~uint64_t{0}, &decoder.ac_table(c), false};
      ++next;
    }
  }
  next[-1].next = due_.data();
  PIXPRESS_ASSIGN_OR_RETURN(bytes_, meter.Allocate(kDataBytes + JpegScanWindow::kMcuBytes));
  PIXPRESS_ASSIGN_OR_RETURN(begins_, meter.Allocate(kWays * kBeginsBytes));
  std::memset(bytes_.data(), 0, bytes_.size());
  return Status();
}

// Moves what is left to the begin of the buffer, and fills it.
void JpegBlockFinder::Fill() {
  uint8_t* const bytes = bytes_.data();
  const size_t done = bit_ / 8;
  std::memmove(bytes, bytes + done, data_bytes_ - done);
  data_bytes_ -= done;
  bit_ %= 8;
  const Bytes scan = frame_->scan;
  while (!is_data_end_ && data_bytes_ < kDataBytes) {
    const uint8_t* const from = scan.data() + next_;
    const size_t most = std::min(kDataBytes - data_bytes_, scan.size() - next_);
    const void* const found = std::memchr(from, 0xFF, most);
    const size_t plain = found == nullptr ? most : static_cast<const uint8_t*>(found) - from;
    std::memcpy(bytes + data_bytes_, from, plain);
    data_bytes_ += plain;
    next_ += plain;
    if (found != nullptr && next_ + 1 < scan.size() && scan[next_ + 1] == 0) {
      bytes[data_bytes_++] = 0xFF;
      next_ += 2;
    } else {
      is_data_end_ = found != nullptr || next_ == scan.size();
    }
  }
}

void JpegBlockFinder::Begin(size_t way, uint32_t bit, bool is_certain) {
  Way& own = ways_[way];
  own.at = uint64_t{bit} << JpegSkipTable::kStepBits;
  own.due = due_.data();
  own.begins = begins_.as<uint32_t>() + way * (kMostBlocks + 2);
  own.begins[0] = static_cast<uint32_t>(own.at);
  own.end = own.begins + 1;
  own.is_certain = is_certain;
  own.is_stuck = false;
}

// What is left of a block where a skip table has nothing. False if the data is not in order.
bool JpegBlockFinder::Finish(Way& way) {
  const uint32_t steps = JpegSkipTable::Steps(static_cast<uint32_t>(way.at));
  JpegBitReader in(bytes_.data() + way.bit() / 8);
  in.Refill();
  in.Skip(way.bit() % 8);
  in.Refill();
  if (way.due->is_dc) {
    const JpegHuffmanEntry entry = way.due->table->Find(in.bits());
    if ((entry & kJpegEntryWrong) != 0) return false;
    in.Skip(JpegEntryLength(entry));
  } else {
    const auto use = [](uint32_t, JpegValue) {};
    if (!ReadJpegAc(in, *way.due->table, use, steps - 1)) return false;
  }
  const auto bytes = static_cast<size_t>(in.next() - bytes_.data());
  const uint64_t bit = uint64_t{bytes} * 8 - in.unread_bits();
  if (bit > data_bytes_ * 8) return false;
  way.at = bit << JpegSkipTable::kStepBits | (way.due->is_dc ? 1 : 0);
  if (!way.due->is_dc) *way.end++ = static_cast<uint32_t>(way.at);
  way.due = way.due->next;
  return true;
}

// Nothing here was worth anything: try again from the next byte on. But near the end of the data
// it is only unknown what comes.
void JpegBlockFinder::Restart(Way& way) {
  way.is_stuck = way.is_certain || way.bit() + 8 * JpegScanWindow::kMcuBytes > 8 * data_bytes_;
  if (way.is_stuck) return;
  Begin(static_cast<size_t>(&way - ways_.data()), (way.bit() / 8 + 1) * 8, /*is_certain=*/false);
}

// How often all may look up without leaving the data or their room; 0 if all are at their limits.
template <size_t kCount>
uint64_t JpegBlockFinder::SafeRounds(const Way* ways, const uint32_t* limits) const {
  uint64_t rounds = kMostRounds;
  bool is_done = true;
  for (size_t i = 0; i < kCount; ++i) {
    const Way& way = ways[i];
    if (way.is_stuck) return 0;
    is_done = is_done && way.bit() >= limits[i];
    const uint64_t end = data_bytes_ * 8, bit = way.bit();
    const size_t room = kMostBlocks - static_cast<size_t>(way.end - way.begins);
    rounds = std::min({rounds, end < bit ? 0 : (end - bit) / kRoundBits, room / kLookups});
  }
  return is_done ? 0 : rounds;
}

// Takes turns. Returns whose symbol is for Finish, or kCount after so many rounds.
template <size_t kCount>
inline size_t JpegBlockFinder::LookUp(Turns<kCount>* turns, uint64_t rounds) const {
  const uint8_t* const bytes = bytes_.data();
  auto& [at, due, end] = *turns;
  for (; rounds > 0; --rounds) {
    std::array<uint64_t, kCount> bits;
#pragma GCC unroll 4
    for (size_t i = 0; i < kCount; ++i) {
      bits[i] = BitsAt(bytes, at[i] >> JpegSkipTable::kStepBits);
    }
#pragma GCC unroll 4
    for (size_t lookup = 0; lookup < kLookups; ++lookup) {
#pragma GCC unroll 4
      for (size_t i = 0; i < kCount; ++i) {
        const uint32_t entry = due[i]->skips->Find(bits[i]);
        const uint64_t now = (at[i] & due[i]->kept) + (entry & JpegSkipTable::kSumMask);
        if (__builtin_expect((now & JpegSkipTable::kNothing) != 0, 0)) return i;
        bits[i] <<= JpegSkipTable::Length(entry);
        at[i] = now;
        *end[i] = static_cast<uint32_t>(now);
        end[i] += entry >> JpegSkipTable::kEndShift;
        // Moved, not branched on: where blocks end is as good as random.
        const Due* const next = due[i]->next;
        const bool is_done = (entry >> JpegSkipTable::kNextShift & 1) != 0;
        due[i] = __builtin_expect_with_probability(is_done, 1, 0.5) ? next : due[i];
      }
    }
  }
  return kCount;
}

template <size_t kCount>
void JpegBlockFinder::RunUntil(Way* ways, const uint32_t* limits) {
  while (const uint64_t rounds = SafeRounds<kCount>(ways, limits)) {
    Turns<kCount> turns;
    for (size_t i = 0; i < kCount; ++i) {
      turns.at[i] = ways[i].at;
      turns.due[i] = ways[i].due;
      turns.end[i] = ways[i].end;
    }
    const size_t stuck = LookUp(&turns, rounds);
    for (size_t i = 0; i < kCount; ++i) {
      ways[i].at = turns.at[i];
      ways[i].due = turns.due[i];
      ways[i].end = turns.end[i];
    }
    if (stuck < kCount && !Finish(ways[stuck])) Restart(ways[stuck]);
  }
}

// Is there an MCU that this way and the next one found? Then this one ends there, and the other one
// counts `from` there.
bool JpegBlockFinder::Join(size_t way, const uint32_t** from) {
  Way& own = ways_[way];
  Way& other = ways_[way + 1];
  const uint32_t first = BeginBit(other.begins[0]);
  for (;;) {
    const auto before = [](uint32_t begin, uint32_t bit) { return BeginBit(begin) < bit; };
    const auto block =
        static_cast<size_t>(std::lower_bound(own.begins, own.end, first, before) - own.begins);
    uint32_t* mine = own.begins + (block + mcu_blocks_ - 1) / mcu_blocks_ * mcu_blocks_;
    const uint32_t* theirs = other.begins;
    while (mine < own.end && theirs < other.end && BeginBit(*mine) != BeginBit(*theirs)) {
      if (BeginBit(*mine) < BeginBit(*theirs)) {
        mine += mcu_blocks_;
      } else {
        theirs += mcu_blocks_;
      }
    }
    if (mine < own.end && theirs < other.end) {
      own.end = mine + 1;
      other.is_certain = true;
      *from = theirs;
      return true;
    }
    const uint32_t limit = own.bit() + kMoreBits;
    if (limit > first + 8 * kMeetBytes) return false;
    RunUntil<1>(&own, &limit);
    if (own.bit() < limit) return false;
  }
}

// The next MCUs. False if there is nothing more for this.
bool JpegBlockFinder::Find() {
  Fill();
  if (data_bytes_ < kReserveBytes) return false;
  const size_t chunk_bytes = (data_bytes_ - kReserveBytes) / kWays;
  if (chunk_bytes < kFewestChunkBytes) return false;
  std::array<uint32_t, kWays> limits;
  for (size_t i = 0; i < kWays; ++i) {
    const auto bit = static_cast<uint32_t>(i * chunk_bytes * 8);
    Begin(i, i == 0 ? bit_ : bit, i == 0);
    limits[i] = static_cast<uint32_t>((i + 1) * chunk_bytes * 8) + kOverlapBits;
  }
  RunUntil<kWays>(ways_.data(), limits.data());
  found_count_ = found_next_ = 0;
  const uint32_t* from = ways_[0].begins;
  for (size_t i = 0; i < kWays; ++i) {
    const uint32_t* const begin = from;
    const bool is_joined = i + 1 < kWays && Join(i, &from);
    const auto mcus = static_cast<uint32_t>((ways_[i].end - 1 - begin) / mcu_blocks_);
    found_[found_count_++] = {begin, mcus};
    bit_ = BeginBit(begin[size_t{mcus} * mcu_blocks_]);
    if (!is_joined) break;
  }
  return found_[0].mcus > 0 || found_count_ > 1;
}

void JpegBlockFinder::HandOver() {
  is_handed_over_ = true;
  const uint8_t* const bytes = bytes_.data();
  const size_t byte = bit_ / 8;
  const size_t stuffed = static_cast<size_t>(std::count(bytes + byte, bytes + data_bytes_, 0xFF));
  decoder_->GoTo({next_ - (data_bytes_ - byte) - stuffed, bit_ % 8}, 0, predictors_);
}

// The component's samples of MCUs. Returns how many came before a DC that cannot be.
uint32_t JpegBlockFinder::ReadComponent(size_t c, const uint32_t* begins, uint32_t column,
                                        uint32_t count, const Target& target) {
  const uint8_t* const bytes = bytes_.data();
  const JpegDecodeTable& table = decoder_->dc_table(c);
  const uint32_t mcu_blocks = mcu_blocks_;
  const uint32_t h = frame_->components[c].h, v = frame_->components[c].v;
  const size_t stride_bytes = target.stride_bytes;
  const int32_t step = target.step;
  uint8_t* out = target.rows + size_t{column} * h;
  int32_t sum = predictors_[c];
  for (uint32_t done = 0; done < count; ++done, begins += mcu_blocks, out += h) {
    bool is_good = true;
    for (uint32_t i = 0, y = 0; y < v; ++y) {
      for (uint32_t x = 0; x < h; ++x, ++i) {
        const uint64_t bits = BitsAt(bytes, BeginBit(begins[i]));
        sum += ReadJpegValue(bits, table.Find(bits)).Signed();
        is_good &= IsJpegDc(sum);
        out[y * stride_bytes + x] = InverseDctFlat(sum, step);
      }
    }
    if (!is_good) return done;
  }
  predictors_[c] = sum;
  return count;
}

// The same of all components.
uint32_t JpegBlockFinder::ReadMcus(const uint32_t* begins, uint32_t column, uint32_t count,
                                   const Targets& targets) {
  const std::array<int32_t, 3> before = predictors_;
  const uint32_t* next = begins;
  for (size_t c = 0; c < frame_->component_count; ++c) {
    const uint32_t good = ReadComponent(c, next, column, count, targets[c]);
    next += frame_->components[c].h * frame_->components[c].v;
    if (good == count) continue;
    predictors_ = before;
    return ReadMcus(begins, column, good, targets);
  }
  return count;
}

uint32_t JpegBlockFinder::ReadFlat(uint32_t count, const Targets& targets) {
  uint32_t done = 0;
  while (done < count && !is_handed_over_) {
    if (found_next_ == found_count_ && !Find()) {
      HandOver();
      break;
    }
    Found& found = found_[found_next_];
    const uint32_t due = std::min(found.mcus, count - done);
    const uint32_t good = ReadMcus(found.begins, done, due, targets);
    found.begins += size_t{good} * mcu_blocks_;
    found.mcus -= good;
    done += good;
    if (good < due) {
      bit_ = BeginBit(*found.begins);
      HandOver();
    }
    if (found.mcus == 0) ++found_next_;
  }
  return done;
}

}  // namespace pixpress
