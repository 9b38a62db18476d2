#include "codecs/avif/boxes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "codecs/avif/box_cursor.h"
#include "codecs/avif/decode.h"
#include "memory/buffer.h"

namespace pixpress {
namespace {

struct Item {
  uint32_t id = 0;
  bool is_exif = false;    // Else XMP.
  size_t type_offset = 0;  // Of the item's type in the file.
};

struct Extent {
  uint32_t item = 0;
  size_t offset = 0;
  size_t bytes = 0;
};

struct MetaBox {
  std::vector<Item> items;  // Only those that hold metadata.
  std::vector<Extent> extents;
  size_t idat = 0;
};

void ParseInfe(Bytes file, const Box& box, MetaBox* meta) {
  BoxCursor cursor(file, box.body, box.end);
  const uint64_t version = cursor.Number(4) >> 24;
  if (version < 2) return;
  Item item;
  item.id = static_cast<uint32_t>(cursor.Number(version == 2 ? 2 : 4));
  cursor.Number(2);
  item.type_offset = cursor.at();
  const std::string_view type = cursor.Type();
  item.is_exif = type == "Exif";
  if (cursor.is_valid() && (item.is_exif || type == "mime")) meta->items.push_back(item);
}

void ParseIinf(Bytes file, const Box& box, MetaBox* meta) {
  BoxCursor cursor(file, box.body, box.end);
  const uint64_t version = cursor.Number(4) >> 24;
  cursor.Number(version == 0 ? 2 : 4);
  while (const auto child = NextBox(&cursor)) {
    if (child->type == "infe") ParseInfe(file, *child, meta);
  }
}

void ParseIloc(Bytes file, const Box& box, MetaBox* meta) {
  BoxCursor cursor(file, box.body, box.end);
  const uint64_t version = cursor.Number(4) >> 24;
  const uint64_t sizes = cursor.Number(2);
  const size_t offset_size = sizes >> 12, length_size = sizes >> 8 & 15,
               base_size = sizes >> 4 & 15;
  const size_t index_size = version > 0 ? sizes & 15 : 0;
  const uint64_t count = cursor.Number(version < 2 ? 2 : 4);
  for (uint64_t i = 0; i < count && !cursor.is_at_end(); ++i) {
    const auto item = static_cast<uint32_t>(cursor.Number(version < 2 ? 2 : 4));
    const bool is_in_idat = version > 0 && (cursor.Number(2) & 15) == 1;
    cursor.Number(2);
    const uint64_t base = cursor.Number(base_size);
    const uint64_t extents = cursor.Number(2);
    for (uint64_t e = 0; e < extents && !cursor.is_at_end(); ++e) {
      cursor.Number(index_size);
      const uint64_t offset = base + cursor.Number(offset_size) + (is_in_idat ? meta->idat : 0);
      const uint64_t bytes = cursor.Number(length_size);
      if (!cursor.is_valid() || offset > file.size() || bytes > file.size() - offset) continue;
      meta->extents.push_back({item, static_cast<size_t>(offset), static_cast<size_t>(bytes)});
    }
  }
}

MetaBox ParseMeta(Bytes file, const Box& box) {
  MetaBox meta;
  std::optional<Box> iinf, iloc;
  BoxCursor cursor(file, box.body, box.end);
  cursor.Number(4);
  while (const auto child = NextBox(&cursor)) {
    if (child->type == "iinf") iinf = child;
    if (child->type == "iloc") iloc = child;
    if (child->type == "idat") meta.idat = child->body;
  }
  if (iinf) ParseIinf(file, *iinf, &meta);
  if (iloc) ParseIloc(file, *iloc, &meta);
  return meta;
}

// Put `block` where the item lies, or blank the item and hide it where it is empty or too long.
void ReplaceItem(const MetaBox& meta, const Item& item, const std::vector<uint8_t>& block,
                 std::span<uint8_t> file) {
  const Extent* first = nullptr;
  for (const Extent& extent : meta.extents) {
    if (extent.item != item.id) continue;
    std::memset(file.data() + extent.offset, 0, extent.bytes);
    if (first == nullptr) first = &extent;
  }
  // Four bytes of offset to the TIFF header come before it.
  if (first != nullptr && !block.empty() && block.size() + 4 <= first->bytes) {
    std::copy(block.begin(), block.end(), file.begin() + first->offset + 4);
  } else {
    std::memcpy(file.data() + item.type_offset, "skip", 4);
  }
}

// Two numbers of 4 bytes at `at`.
AvifExtents ExtentsAt(Bytes file, size_t at) {
  BoxCursor cursor(file, std::min(at, file.size()), file.size());
  AvifExtents extents;
  extents.width = static_cast<uint32_t>(cursor.Number(4));
  extents.height = static_cast<uint32_t>(cursor.Number(4));
  return extents;
}

}  // namespace

AvifExtents LargestAvifExtents(Bytes file) {
  AvifExtents most;
  const auto note = [&](const AvifExtents& other) {
    if (other.pixels() > most.pixels()) most = other;
  };
  if (const auto meta = FindBox(file, WholeFile(file), "meta")) {
    Box body = *meta;
    body.body = std::min(body.body + 4, body.end);  // Its version and flags.
    if (const auto properties = FindBox(file, body, "iprp", "ipco")) {
      BoxCursor cursor = properties->Children(file);
      while (const auto box = NextBox(&cursor)) {
        if (box->type == "ispe" && box->end - box->body >= 12) note(ExtentsAt(file, box->body + 4));
      }
    }
  }
  if (const auto movie = FindBox(file, WholeFile(file), "moov")) {
    BoxCursor cursor = movie->Children(file);
    while (const auto track = NextBox(&cursor)) {
      const auto header = FindBox(file, *track, "tkhd");
      if (track->type != "trak" || !header || header->end - header->body < 8) continue;
      const AvifExtents fixed = ExtentsAt(file, header->end - 8);  // In parts of 65536.
      note({fixed.width >> 16, fixed.height >> 16});
    }
  }
  return most;
}

bool HasAvifSignature(Bytes head) {
  if (head.size() < 16) return false;
  BoxCursor cursor(head, 0, head.size());
  const uint64_t size = cursor.Number(4);
  if (cursor.Type() != "ftyp") return false;
  const size_t end = std::min<uint64_t>(size, head.size());
  for (size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) {  // The brand, then compatible ones.
    cursor.SkipTo(at);
    const std::string_view brand = cursor.Type();
    if (brand == "avif" || brand == "avis") return true;
  }
  return false;
}

Status RewriteAvif(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                   const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(Metadata metadata, ReadAvifMetadata(encoded, limits));
  metadata = ApplyPolicy(std::move(metadata), policy, /*oriented=*/false);
  PIXPRESS_ASSIGN_OR_RETURN(Buffer copy, context.meter.Allocate(encoded.size()));
  std::copy(encoded.begin(), encoded.end(), copy.data());
  const std::span<uint8_t> file = copy.span();
  size_t end = 0;  // Of the last box that is needed.
  BoxCursor cursor(encoded, 0, encoded.size());
  while (const auto box = NextBox(&cursor)) {
    const bool is_needed = box->type == "ftyp" || box->type == "meta" || box->type == "mdat" ||
                           box->type == "moov" || policy == MetadataPolicy::kAll;
    if (is_needed) {
      end = box->end;
    } else {
      std::memset(file.data() + box->body, 0, box->end - box->body);
    }
    if (box->type != "meta" || policy == MetadataPolicy::kAll) continue;
    const MetaBox meta = ParseMeta(encoded, *box);
    for (const Item& item : meta.items) {
      ReplaceItem(meta, item, item.is_exif ? metadata.exif : std::vector<uint8_t>(), file);
    }
  }
  return out->Append(file.first(end));
}

}  // namespace pixpress
