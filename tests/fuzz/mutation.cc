#include "mutation.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace pixpress {
namespace {

using Random = std::mt19937_64;
using Seeds = std::vector<FuzzInput>;

// Copies of parts must not add up.
constexpr size_t kMostBytes = 64 << 10;
const FuzzInput kPngRows = {'I', 'D', 'A', 'T'};
const FuzzInput kPngFrameRows = {'f', 'd', 'A', 'T'};

// A number that lengths and counts are checked against, or just beside one.
void SetField(FuzzInput& bytes, size_t at, Random& random) {
  constexpr std::array<uint64_t, 8> kValues = {0,      1,          0x7F,       0xFF,
                                               0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
  const size_t width = std::min<size_t>(size_t{1} << random() % 3, bytes.size() - at);
  const uint64_t value = kValues[random() % kValues.size()] + random() % 3 - 1;
  const bool is_big_endian = random() % 2 == 0;
  for (size_t i = 0; i < width; ++i) {
    bytes[at + (is_big_endian ? width - 1 - i : i)] = static_cast<uint8_t>(value >> 8 * i);
  }
}

// Some bytes of `from` in the place of some of `bytes`.
void Splice(FuzzInput& bytes, size_t at, const FuzzInput& from, Random& random) {
  if (from.empty()) return;
  const size_t begin = random() % from.size();
  const size_t length = 1 + random() % std::min<size_t>(from.size() - begin, 256);
  const size_t dropped = std::min(random() % 2 == 0 ? length : 0, bytes.size() - at);
  // Another buffer, for `from` may be `bytes`.
  const FuzzInput piece(from.begin() + begin, from.begin() + begin + length);
  bytes.erase(bytes.begin() + at, bytes.begin() + at + dropped);
  bytes.insert(bytes.begin() + at, piece.begin(), piece.end());
}

void MutateBytes(FuzzInput& bytes, const FuzzInput& from, Random& random) {
  const size_t changes = 1 + random() % 4;
  for (size_t i = 0; i < changes && !bytes.empty(); ++i) {
    const size_t at = random() % bytes.size();
    switch (random() % 7) {
      case 0:
        bytes[at] ^= static_cast<uint8_t>(1u << random() % 8);
        break;
      case 1:
        bytes[at] = static_cast<uint8_t>(random());
        break;
      case 2:
        bytes.erase(bytes.begin() + at);
        break;
      case 3:
        bytes.insert(bytes.begin() + at, static_cast<uint8_t>(random() % 4 ? random() : 0xFF));
        break;
      case 4:
        SetField(bytes, at, random);
        break;
      case 5:
        Splice(bytes, at, from, random);
        break;
      default:
        bytes.resize(random() % 4 == 0 ? at : bytes.size());
    }
  }
}

// The rows in a whole zlib stream that ends `data` from `begin` on. Else nothing is changed.
void MutateRows(size_t begin, FuzzInput* data, Random& random) {
  FuzzInput rows(kMostBytes);
  uLongf length = rows.size();
  const auto size = static_cast<uLong>(data->size() - std::min(begin, data->size()));
  if (uncompress(rows.data(), &length, data->data() + begin, size) != Z_OK) return;
  rows.resize(length);
  MutateBytes(rows, rows, random);
  FuzzInput packed(compressBound(rows.size()));
  length = packed.size();
  if (compress2(packed.data(), &length, rows.data(), rows.size(), 1) != Z_OK) return;
  data->resize(begin);
  data->insert(data->end(), packed.begin(), packed.begin() + static_cast<ptrdiff_t>(length));
}

void MutateLevel(Container kind, size_t lead_bytes, const FuzzInput& other, FuzzInput* bytes,
                 Random& random);

// What is in a part: in those that it holds, if it holds any, or in its bytes.
void MutatePart(Container kind, const FuzzInput& other, Part* part, Random& random) {
  const size_t lead_bytes = LeadBytes(kind, *part);
  if (lead_bytes < part->data.size() && random() % 4 != 0) {
    MutateLevel(kind, lead_bytes, other, &part->data, random);
  } else if (random() % 2 == 0 && part->tag == kPngRows) {
    MutateRows(0, &part->data, random);
  } else if (random() % 2 == 0 && part->tag == kPngFrameRows) {
    MutateRows(4, &part->data, random);
  } else {
    MutateBytes(part->data, part->data, random);
  }
}

// One change of the parts that follow the first `lead_bytes`.
void MutateLevel(Container kind, size_t lead_bytes, const FuzzInput& other, FuzzInput* bytes,
                 Random& random) {
  std::vector<Part> parts = SplitParts(kind, std::span(*bytes).subspan(lead_bytes));
  if (parts.empty()) return;
  const size_t at = random() % parts.size();
  const size_t to = random() % parts.size();
  switch (random() % 8) {
    case 0:
      parts.erase(parts.begin() + at);
      break;
    case 1: {
      Part copy = parts[at];
      parts.insert(parts.begin() + to, std::move(copy));
      break;
    }
    case 2:
      std::swap(parts[at], parts[to]);
      break;
    case 3: {
      std::vector<Part> others =
          SplitParts(kind, std::span(other).subspan(LeadBytes(kind, std::span(other))));
      if (!others.empty()) parts[to] = std::move(others[random() % others.size()]);
      break;
    }
    default:
      MutatePart(kind, other, &parts[at], random);
  }
  bytes->resize(lead_bytes);
  const FuzzInput joined = JoinParts(kind, parts);
  bytes->insert(bytes->end(), joined.begin(), joined.end());
}

const FuzzInput& AnyOf(const Seeds& seeds, Random& random) {
  return seeds[random() % seeds.size()];
}

}  // namespace

FuzzInput Mutated(const Seeds& seeds, Random& random) {
  FuzzInput bytes = AnyOf(seeds, random);
  const FuzzInput before = bytes;
  const FuzzInput& other = AnyOf(seeds, random);
  const Container kind = ContainerOf(bytes);
  // Behind the checksums of PNG there is nothing for changes that leave them wrong.
  if (kind == Container::kNone || random() % (kind == Container::kPng ? 8 : 2) == 0) {
    MutateBytes(bytes, other, random);
  } else {
    const bool is_same_kind = ContainerOf(other) == kind;
    const size_t changes = 1 + random() % 2;
    for (size_t i = 0; i < changes && ContainerOf(bytes) == kind; ++i) {
      const size_t lead_bytes = LeadBytes(kind, std::span(bytes));
      MutateLevel(kind, lead_bytes, is_same_kind ? other : before, &bytes, random);
    }
    RepairFile(kind, before, &bytes);
    if (random() % 8 == 0) MutateBytes(bytes, other, random);
  }
  if (bytes.size() > kMostBytes) bytes.resize(kMostBytes);
  return bytes;
}

}  // namespace pixpress
