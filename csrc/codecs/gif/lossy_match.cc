// How GifLzwEncoder searches for strings where colors need not be exact.

#include <array>

#include "codecs/gif/lzw_encoder.h"

namespace pixpress {
namespace {

// Strings that are tried for one code. Every pixel of a string is a try, so after these the one at
// hand still grows: long runs are not cut short.
constexpr int kMostTries = 150;

uint64_t Packed(const GifColorError& error) {
  const auto part = [&](size_t c) { return uint64_t{static_cast<uint16_t>(error[c])} << 16 * c; };
  return part(0) | part(1) | part(2);
}

GifColorError Unpacked(uint64_t error) {
  return {static_cast<int16_t>(error), static_cast<int16_t>(error >> 16),
          static_cast<int16_t>(error >> 32)};
}

}  // namespace

// A string that may be the best. Not initialized: there are many, and few are used. Of whole words:
// what is pushed is most often popped at once, and memory hands on only what it took in one piece.
struct GifLzwEncoder::LossyBranch {
  LossyBranch() = default;
  LossyBranch(int node, uint8_t first, const GifColorError& error, size_t end, int64_t worth)
      : string(static_cast<uint64_t>(node) << 8 | first),
        packed_error(Packed(error)),
        end(end),
        worth(worth) {}
  int node() const { return static_cast<int>(string >> 8); }
  uint8_t first() const { return static_cast<uint8_t>(string); }
  GifColorError error() const { return Unpacked(packed_error); }  // What it leaves behind.

  uint64_t string;
  uint64_t packed_error;
  uint64_t end;
  int64_t worth;
};

// Those that are still to be looked at; the last one is next.
struct GifLzwEncoder::LossyBranches {
  std::array<LossyBranch, 512> all;
  size_t count = 0;

  void Push(const LossyBranch& branch) {
    if (count < all.size()) all[count++] = branch;
  }
};

// The strings that `before` and the next pixel make.
void GifLzwEncoder::PushLonger(const Choice& choice, const LossyBranch& before,
                               LossyBranches* branches) const {
  // By value, as pushing overwrites it.
  const size_t at = before.end;
  const int node = before.node();
  const uint8_t first = before.first();
  const GifColorError error = before.error();
  const int64_t before_worth = before.worth;
  if (at == choice.indices.size()) return;
  const auto push = [&](size_t longer, const GifColorError& left, int worth) {
    branches->Push({static_cast<int>(longer), first, left, at + 1, before_worth + worth});
  };
  const uint8_t wanted = choice.indices[at];
  if (choice.IsExact(at)) {
    const int own = FindChild(node, wanted);
    if (own != kNone) push(static_cast<size_t>(own), {}, GifLoss::kPixelWorth);
    if (!choice.IsFree(at)) return;
    const int free = FindChild(node, static_cast<uint8_t>(choice.free_index));
    if (free != kNone) push(static_cast<size_t>(free), {}, GifLoss::kPixelWorth);
    return;
  }
  const Tables& tables = *reinterpret_cast<const Tables*>(tables_.data());
  for (size_t child = tables.child[static_cast<size_t>(node)]; child != 0;
       child = tables.sibling[child]) {
    const uint8_t index = tables.last[child];
    GifColorError left;
    if (index == choice.free_index || !choice.loss.MayShow(wanted, index)) continue;
    const int worth = choice.loss.Worth(wanted, index, error, &left);
    if (worth >= 0) push(child, left, worth);
  }
}

// Strings of one pixel, after what was left behind.
void GifLzwEncoder::PushFirst(const Choice& choice, size_t at, const GifColorError& error,
                              LossyBranches* branches) const {
  const uint8_t own = choice.indices[at];
  if (choice.IsExact(at)) {
    branches->Push({own, own, {}, at + 1, GifLoss::kPixelWorth});
    const uint8_t free = static_cast<uint8_t>(choice.free_index);
    // The last one is tried first: of equal ones the free index fits in more places.
    if (choice.IsFree(at)) branches->Push({free, free, {}, at + 1, GifLoss::kPixelWorth});
    return;
  }
  for (const uint8_t index : choice.loss.Near(own)) {
    if (index == choice.free_index || index >> code_bits_ != 0) continue;
    GifColorError left;
    const int worth = choice.loss.Worth(own, index, error, &left);
    if (worth >= 0) branches->Push({index, index, left, at + 1, worth});
  }
}

// The longest string, where each pixel may be another color that is near enough to its own and,
// with what the pixels before it lack, to what they should be on average.
GifLzwEncoder::Match GifLzwEncoder::BestLossyMatch(const Choice& choice, size_t at,
                                                   const GifColorError& error) const {
  LossyBranches branches;
  PushFirst(choice, at, error, &branches);
  // Its own color is always right, even if it cannot make up for those before.
  const uint8_t own = choice.indices[at];
  Match best{own, 1, own, {}};
  int64_t most_worth = 0;
  for (int tries = 0; branches.count > 0; ++tries) {
    // Popped, but in its place until the first longer one is pushed.
    const LossyBranch& branch = branches.all[--branches.count];
    if (branch.worth > most_worth) {
      most_worth = branch.worth;
      best = {branch.node(), branch.end - at, branch.first(), branch.error()};
    } else if (tries >= kMostTries) {
      break;
    }
    PushLonger(choice, branch, &branches);
  }
  return best;
}

}  // namespace pixpress
