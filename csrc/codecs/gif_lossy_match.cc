// How GifLzwEncoder searches for strings where colors need not be exact.

#include <array>

#include "codecs/gif_lzw_encoder.h"

namespace pixpress {
namespace {

// Strings that are tried for one code. Every pixel of a string is a try, so after these the one at
// hand still grows: long runs are not cut short.
constexpr int kMostTries = 150;

}  // namespace

// A string that may be the best. Not initialized: there are many, and few are used.
struct GifLzwEncoder::LossyBranch {
  int node;
  uint8_t first;
  GifColorError error;  // What it leaves behind.
  size_t end;
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
  const size_t at = before.end;
  if (at == choice.indices.size()) return;
  const auto push = [&](size_t node, const GifColorError& error, int worth) {
    branches->Push({static_cast<int>(node), before.first, error, at + 1, before.worth + worth});
  };
  const uint8_t wanted = choice.indices[at];
  if (choice.IsExact(at)) {
    const int own = FindChild(before.node, wanted);
    if (own != kNone) push(static_cast<size_t>(own), {}, GifLoss::kPixelWorth);
    if (!choice.IsFree(at)) return;
    const int free = FindChild(before.node, static_cast<uint8_t>(choice.free_index));
    if (free != kNone) push(static_cast<size_t>(free), {}, GifLoss::kPixelWorth);
    return;
  }
  const Tables& tables = *reinterpret_cast<const Tables*>(tables_.data());
  for (size_t child = tables.child[static_cast<size_t>(before.node)]; child != 0;
       child = tables.sibling[child]) {
    const uint8_t index = tables.last[child];
    GifColorError left;
    if (index == choice.free_index || !choice.loss.MayShow(wanted, index)) continue;
    const int worth = choice.loss.Worth(wanted, index, before.error, &left);
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
    const LossyBranch branch = branches.all[--branches.count];
    if (branch.worth > most_worth) {
      most_worth = branch.worth;
      best = {branch.node, branch.end - at, branch.first, branch.error};
    } else if (tries >= kMostTries) {
      break;
    }
    PushLonger(choice, branch, &branches);
  }
  return best;
}

}  // namespace pixpress
