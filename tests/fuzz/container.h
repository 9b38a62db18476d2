#pragma once
// An encoded image as the parts that its format is made of, so that a mutation can change what is
// in a part and leave lengths and checksums right.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pixpress {

using FuzzInput = std::vector<uint8_t>;

enum class Container : uint8_t { kNone, kJpeg, kPng, kRiff, kGif, kBoxes };

// A JPEG segment, a PNG or RIFF chunk, the compressed data of a GIF frame, or a box of AVIF.
struct Part {
  FuzzInput tag;   // The marker, type or code size; empty: `data` stands for itself.
  FuzzInput data;  // Without length, checksum and padding.
};

// By the magic.
Container ContainerOf(std::span<const uint8_t> file);

// What lies before the first part that may hold others: bytes of the file at its start, or of the
// data of `part`. Those of a part that holds none are all of them.
size_t LeadBytes(Container kind, std::span<const uint8_t> file);
size_t LeadBytes(Container kind, const Part& part);

// The parts of `bytes`, which begin with one. What cannot be read is one part without a tag.
std::vector<Part> SplitParts(Container kind, std::span<const uint8_t> bytes);
// Their bytes, with lengths and checksums made anew. Joining what was split gives the same bytes.
FuzzInput JoinParts(Container kind, const std::vector<Part>& parts);

// Makes the sizes and places right that a file names outside of its parts: the size in a RIFF
// header, and the places of the data in AVIF, which moved by a change of `before`.
void RepairFile(Container kind, std::span<const uint8_t> before, FuzzInput* file);

}  // namespace pixpress
