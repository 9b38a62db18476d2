#include "container.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace pixpress {
namespace {

using Span = std::span<const uint8_t>;

// Both of so many bytes, the highest or the lowest first.
uint32_t ReadBig(Span bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value;
}
uint32_t ReadLittle32(Span bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t{bytes[at + i]} << 8 * i;
  return value;
}
void PutBig(size_t value, size_t count, FuzzInput* out) {
  for (size_t i = count; i-- > 0;) out->push_back(static_cast<uint8_t>(value >> 8 * i));
}
void PutLittle32(size_t value, FuzzInput* out) {
  for (size_t i = 0; i < 4; ++i) out->push_back(static_cast<uint8_t>(value >> 8 * i));
}
void Append(Span bytes, FuzzInput* out) { out->insert(out->end(), bytes.begin(), bytes.end()); }

FuzzInput Copy(Span bytes) { return FuzzInput(bytes.begin(), bytes.end()); }
Part Untagged(Span bytes) { return {{}, Copy(bytes)}; }
bool StartsWith(Span bytes, size_t at, std::string_view text) {
  return at + text.size() <= bytes.size() &&
         std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

// Each reads the part at the start of `bytes` and says how long it is; 0: it cannot be read.
size_t ReadPng(Span bytes, Part* part) {
  if (bytes.size() < 12) return 0;
  const size_t length = ReadBig(bytes, 0, 4);
  if (length > bytes.size() - 12) return 0;
  *part = {Copy(bytes.subspan(4, 4)), Copy(bytes.subspan(8, length))};
  return length + 12;
}

size_t ReadRiff(Span bytes, Part* part) {
  if (bytes.size() < 8) return 0;
  const size_t length = ReadLittle32(bytes, 4);
  if (length + length % 2 > bytes.size() - 8) return 0;
  *part = {Copy(bytes.first(4)), Copy(bytes.subspan(8, length))};
  return 8 + length + length % 2;
}

size_t ReadBox(Span bytes, Part* part) {
  if (bytes.size() < 8) return 0;
  const size_t length = ReadBig(bytes, 0, 4);
  if (length < 8 || length > bytes.size()) return 0;
  *part = {Copy(bytes.subspan(4, 4)), Copy(bytes.subspan(8, length - 8))};
  return length;
}

// A segment, or the coded data up to the next one.
size_t ReadJpeg(Span bytes, Part* part) {
  size_t at = 0;
  while (at + 1 < bytes.size()) {
    const bool is_data =
        bytes[at] != 0xFF || bytes[at + 1] == 0 || (bytes[at + 1] >= 0xD0 && bytes[at + 1] <= 0xD9);
    if (!is_data) break;
    ++at;
  }
  if (at > 0) {
    *part = Untagged(bytes.first(at));
    return at;
  }
  if (bytes.size() < 4) return 0;
  const size_t length = ReadBig(bytes, 2, 2);
  if (length < 2 || length > bytes.size() - 2) return 0;
  *part = {{bytes[1]}, Copy(bytes.subspan(4, length - 2))};
  return length + 2;
}

// The end of the sub-blocks from `at` on, 0 if there is none; their contents go to `data`.
size_t ReadSubBlocks(Span bytes, size_t at, FuzzInput* data) {
  while (at < bytes.size()) {
    const size_t length = bytes[at];
    if (length == 0) return at + 1;
    if (length >= bytes.size() - at) return 0;
    Append(bytes.subspan(at + 1, length), data);
    at += 1 + length;
  }
  return 0;
}

size_t TableBytes(uint8_t flags) { return (flags & 0x80) != 0 ? size_t{6} << (flags & 7) : 0; }

// An extension as it is; a descriptor with its colors; or the coded pixels after one.
size_t ReadGif(Span bytes, bool is_data, Part* part) {
  if (bytes.size() < 2) return 0;
  if (is_data) {
    part->tag = {bytes[0]};
    return ReadSubBlocks(bytes, 1, &part->data);
  }
  size_t length = 0;
  FuzzInput contents;
  if (bytes[0] == 0x21) length = ReadSubBlocks(bytes, 2, &contents);
  if (bytes[0] == 0x2C && bytes.size() >= 10) length = 10 + TableBytes(bytes[9]);
  if (length > bytes.size()) return 0;
  *part = Untagged(bytes.first(length));
  return length;
}

void WriteSubBlocks(const FuzzInput& data, FuzzInput* out) {
  for (size_t at = 0; at < data.size(); at += 255) {
    const size_t length = std::min<size_t>(255, data.size() - at);
    out->push_back(static_cast<uint8_t>(length));
    Append(Span(data).subspan(at, length), out);
  }
  out->push_back(0);
}

void WritePart(Container kind, const Part& part, FuzzInput* out) {
  if (part.tag.empty()) return Append(part.data, out);
  const size_t length = part.data.size();
  switch (kind) {
    case Container::kJpeg:
      out->push_back(0xFF);
      Append(part.tag, out);
      PutBig(length + 2, 2, out);
      return Append(part.data, out);
    case Container::kPng: {
      PutBig(length, 4, out);
      Append(part.tag, out);
      Append(part.data, out);
      const size_t checked = length + part.tag.size();
      PutBig(crc32(0, out->data() + out->size() - checked, static_cast<uInt>(checked)), 4, out);
      return;
    }
    case Container::kRiff:
      Append(part.tag, out);
      PutLittle32(length, out);
      Append(part.data, out);
      if (length % 2 != 0) out->push_back(0);
      return;
    case Container::kGif:
      Append(part.tag, out);
      return WriteSubBlocks(part.data, out);
    case Container::kBoxes:
      PutBig(length + 8, 4, out);
      Append(part.tag, out);
      return Append(part.data, out);
    case Container::kNone:
      return;
  }
}

// Where the data box of an AVIF file begins and ends.
struct Place {
  size_t begin = 0;
  size_t end = 0;
};

Place DataBox(Span file) {
  for (size_t at = 0; at + 8 <= file.size();) {
    const size_t length = ReadBig(file, at, 4);
    if (length < 8 || length > file.size() - at) break;
    if (StartsWith(file, at + 4, "mdat")) return {at, at + length};
    at += length;
  }
  return {};
}

// Every number that named a place within the data, in the boxes that name places.
void MoveOffsets(Span before, FuzzInput* file) {
  const Place was = DataBox(before);
  const Place is = DataBox(*file);
  if (was.end == 0 || is.end == 0 || was.begin == is.begin) return;
  for (size_t at = 4; at + 4 <= file->size(); ++at) {
    if (!StartsWith(*file, at, "iloc") && !StartsWith(*file, at, "stco")) continue;
    const size_t end = std::min(at - 4 + ReadBig(*file, at - 4, 4), file->size());
    for (size_t field = at + 4; field + 4 <= end; ++field) {
      const size_t offset = ReadBig(*file, field, 4);
      if (offset < was.begin || offset >= was.end) continue;
      FuzzInput moved;
      PutBig(offset + is.begin - was.begin, 4, &moved);
      std::copy(moved.begin(), moved.end(), file->begin() + static_cast<ptrdiff_t>(field));
      field += 3;
    }
  }
}

}  // namespace

Container ContainerOf(Span file) {
  if (StartsWith(file, 0, "\xFF\xD8\xFF")) return Container::kJpeg;
  if (StartsWith(file, 0, "\x89PNG\r\n\x1A\n")) return Container::kPng;
  if (StartsWith(file, 0, "RIFF") && StartsWith(file, 8, "WEBP")) return Container::kRiff;
  if (StartsWith(file, 0, "GIF8") && file.size() > 13) return Container::kGif;
  if (StartsWith(file, 4, "ftyp")) return Container::kBoxes;
  return Container::kNone;
}

size_t LeadBytes(Container kind, Span file) {
  constexpr std::array<size_t, 6> kLeads = {0, 2, 8, 12, 13, 0};
  const size_t table = kind == Container::kGif ? TableBytes(file[10]) : 0;
  return std::min(kLeads[static_cast<size_t>(kind)] + table, file.size());
}

size_t LeadBytes(Container kind, const Part& part) {
  struct Holder {
    Container kind;
    std::string_view tag;
    size_t lead_bytes;
  };
  static constexpr std::array<Holder, 11> kHolders = {{{Container::kRiff, "ANMF", 16},
                                                       {Container::kBoxes, "meta", 4},
                                                       {Container::kBoxes, "iprp", 0},
                                                       {Container::kBoxes, "ipco", 0},
                                                       {Container::kBoxes, "iinf", 6},
                                                       {Container::kBoxes, "moov", 0},
                                                       {Container::kBoxes, "trak", 0},
                                                       {Container::kBoxes, "mdia", 0},
                                                       {Container::kBoxes, "minf", 0},
                                                       {Container::kBoxes, "stbl", 0},
                                                       {Container::kBoxes, "stsd", 8}}};
  for (const Holder& holder : kHolders) {
    if (holder.kind == kind && part.tag.size() == 4 && StartsWith(part.tag, 0, holder.tag) &&
        part.data.size() > holder.lead_bytes) {
      return holder.lead_bytes;
    }
  }
  return part.data.size();
}

std::vector<Part> SplitParts(Container kind, Span bytes) {
  std::vector<Part> parts;
  bool is_gif_data = false;
  while (!bytes.empty()) {
    Part part;
    size_t length = 0;
    if (kind == Container::kJpeg) length = ReadJpeg(bytes, &part);
    if (kind == Container::kPng) length = ReadPng(bytes, &part);
    if (kind == Container::kRiff) length = ReadRiff(bytes, &part);
    if (kind == Container::kGif) length = ReadGif(bytes, is_gif_data, &part);
    if (kind == Container::kBoxes) length = ReadBox(bytes, &part);
    if (length == 0) part = Untagged(bytes);
    is_gif_data = !is_gif_data && bytes[0] == 0x2C;
    parts.push_back(std::move(part));
    bytes = bytes.subspan(length == 0 ? bytes.size() : length);
  }
  return parts;
}

FuzzInput JoinParts(Container kind, const std::vector<Part>& parts) {
  FuzzInput bytes;
  for (const Part& part : parts) WritePart(kind, part, &bytes);
  return bytes;
}

void RepairFile(Container kind, Span before, FuzzInput* file) {
  if (kind == Container::kBoxes) return MoveOffsets(before, file);
  if (kind != Container::kRiff || file->size() < 12) return;
  FuzzInput size;
  PutLittle32(file->size() - 8, &size);
  std::copy(size.begin(), size.end(), file->begin() + 4);
}

}  // namespace pixpress
