#include "codecs/jpeg/metadata.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "codecs/jpeg/extra_pictures.h"
#include "codecs/jpeg/markers.h"
#include "image/exif.h"

namespace pixpress {
namespace {

using namespace std::string_view_literals;
constexpr std::string_view kExifName = "Exif\0\0"sv;
constexpr std::string_view kXmpName = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr std::string_view kIccName = "ICC_PROFILE\0"sv;
constexpr std::string_view kIptcName = "Photoshop 3.0\0"sv;
constexpr size_t kMaxPayloadBytes = 65533;
constexpr size_t kIccPieceBytes = kMaxPayloadBytes - 14;

bool StartsWith(Bytes bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() &&
         std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

void AppendTail(std::vector<uint8_t>& to, Bytes from, size_t skip) {
  to.insert(to.end(), from.begin() + skip, from.end());
}

std::vector<uint8_t> Named(std::string_view name, Bytes content) {
  std::vector<uint8_t> payload(name.begin(), name.end());
  AppendTail(payload, content, 0);
  return payload;
}

struct IccPieces {
  std::vector<Bytes> pieces;  // By number, from 1; empty where missing.
  size_t count = 0;

  void Add(Bytes payload) {
    if (payload.size() < 14 || payload[12] == 0 || payload[12] > payload[13]) return;
    pieces.resize(std::max<size_t>(pieces.size(), payload[12]));
    pieces[payload[12] - 1] = payload.subspan(14);
    count = payload[13];
  }
  // The profile, or nothing if a piece is missing.
  std::vector<uint8_t> Join() const {
    std::vector<uint8_t> icc;
    if (pieces.size() != count) return icc;
    for (const Bytes piece : pieces) {
      if (piece.empty()) return {};
      AppendTail(icc, piece, 0);
    }
    return icc;
  }
};

void ReadDensity(Bytes p, Metadata* metadata) {
  if (p.size() < 12 || p[7] > 2) return;
  Density density;
  density.unit = static_cast<Density::Unit>(p[7]);
  density.x = p[8] << 8 | p[9];
  density.y = p[10] << 8 | p[11];
  if (density.x == 0 || density.y == 0) return;
  // 1:1 without a unit says nothing.
  if (density.unit == Density::Unit::kAspect && density.x == density.y) return;
  metadata->density = density;
}

void ReadSegment(const JpegSegment& segment, Metadata* metadata, IccPieces* icc) {
  const Bytes p = segment.payload;
  if (segment.marker == kJpegApp0 && StartsWith(p, "JFIF\0"sv)) {
    ReadDensity(p, metadata);
  } else if (segment.marker == kJpegApp1 && StartsWith(p, kExifName)) {
    if (metadata->exif.empty()) AppendTail(metadata->exif, p, kExifName.size());
  } else if (segment.marker == kJpegApp1 && StartsWith(p, kXmpName)) {
    if (metadata->xmp.empty()) AppendTail(metadata->xmp, p, kXmpName.size());
  } else if (segment.marker == kJpegApp2 && StartsWith(p, kIccName)) {
    icc->Add(p);
  } else if (segment.marker == kJpegApp13 && StartsWith(p, kIptcName)) {
    metadata->iptc.insert(metadata->iptc.end(), p.begin(), p.end());
  } else if (segment.marker == kJpegComment) {
    metadata->comments.emplace_back(reinterpret_cast<const char*>(p.data()), p.size());
  }
}

bool IsMetadata(const JpegSegment& segment) {
  return (segment.marker >= kJpegApp0 && segment.marker <= kJpegApp15) ||
         segment.marker == kJpegComment;
}

Status AppendSegment(uint8_t marker, Bytes payload, ByteChain* out) {
  const size_t length = payload.size() + 2;
  const uint8_t head[] = {0xFF, marker, static_cast<uint8_t>(length >> 8),
                          static_cast<uint8_t>(length)};
  PIXPRESS_RETURN_IF_ERROR(out->Append(head));
  return out->Append(payload);
}

// JFIF comes first and loses its thumbnail, and under kNone its density.
Status AppendJfif(Bytes payload, MetadataPolicy policy, ByteChain* out) {
  std::vector<uint8_t> jfif(payload.begin(), payload.begin() + 14);
  jfif[12] = jfif[13] = 0;
  if (policy == MetadataPolicy::kNone && jfif[7] != 0) {
    const uint8_t unknown[] = {0, 0, 1, 0, 1};
    std::copy(std::begin(unknown), std::end(unknown), jfif.begin() + 7);
  }
  return AppendSegment(kJpegApp0, jfif, out);
}

Status AppendHead(Bytes encoded, MetadataPolicy policy, const Metadata& kept, ByteChain* out) {
  const uint8_t soi[] = {0xFF, kJpegSoi};
  PIXPRESS_RETURN_IF_ERROR(out->Append(soi));
  if (policy == MetadataPolicy::kAll) return Status();
  JpegWalker walker(encoded);
  JpegSegment segment;
  bool has_jfif = false;
  while (!has_jfif && walker.Next(&segment) && segment.marker != kJpegSos) {
    has_jfif = segment.marker == kJpegApp0 && segment.payload.size() >= 14 &&
               StartsWith(segment.payload, "JFIF\0"sv);
  }
  if (has_jfif) PIXPRESS_RETURN_IF_ERROR(AppendJfif(segment.payload, policy, out));
  for (const JpegMetadataSegment& made : MakeJpegSegments(kept)) {
    PIXPRESS_RETURN_IF_ERROR(AppendSegment(made.marker, made.payload, out));
  }
  return Status();
}

}  // namespace

std::vector<JpegMetadataSegment> MakeJpegSegments(const Metadata& metadata) {
  std::vector<JpegMetadataSegment> segments;
  const auto add = [&](uint8_t marker, std::vector<uint8_t> payload) {
    if (payload.size() <= kMaxPayloadBytes) segments.push_back({marker, std::move(payload)});
  };
  std::vector<uint8_t> exif = metadata.exif;
  if (exif.empty() && metadata.orientation != 1) {
    ExifSummary summary;
    summary.orientation = metadata.orientation;
    exif = BuildExif(summary);
  }
  if (!exif.empty()) add(kJpegApp1, Named(kExifName, exif));
  if (!metadata.xmp.empty()) add(kJpegApp1, Named(kXmpName, metadata.xmp));
  const size_t pieces = (metadata.icc.size() + kIccPieceBytes - 1) / kIccPieceBytes;
  for (size_t i = 0; i < pieces && pieces <= 255; ++i) {
    std::vector<uint8_t> payload(kIccName.begin(), kIccName.end());
    payload.push_back(static_cast<uint8_t>(i + 1));
    payload.push_back(static_cast<uint8_t>(pieces));
    const Bytes rest = Bytes(metadata.icc).subspan(i * kIccPieceBytes);
    AppendTail(payload, rest.first(std::min(rest.size(), kIccPieceBytes)), 0);
    add(kJpegApp2, std::move(payload));
  }
  if (!metadata.iptc.empty()) add(kJpegApp13, metadata.iptc);
  for (const std::string& comment : metadata.comments) {
    add(kJpegComment, std::vector<uint8_t>(comment.begin(), comment.end()));
  }
  return segments;
}

Result<Metadata> ReadJpegMetadata(Bytes encoded, const Limits& limits) {
  Metadata metadata;
  IccPieces icc;
  uint64_t bytes = 0;
  JpegWalker walker(encoded);
  JpegSegment segment;
  while (walker.Next(&segment) && segment.marker != kJpegSos) {
    if (!IsMetadata(segment)) continue;
    bytes += segment.payload.size();
    PIXPRESS_RETURN_IF_ERROR(CheckMetadataBytes(bytes, limits));
    ReadSegment(segment, &metadata, &icc);
  }
  metadata.icc = icc.Join();
  metadata.extra_pictures = DescribeExtraPictures(encoded);
  const ExifSummary summary = ParseExif(metadata.exif);
  metadata.orientation = summary.orientation;
  if (!metadata.density.has_value()) metadata.density = summary.density;
  return metadata;
}

Status RewriteJpeg(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                   const WorkContext& context, ByteChain* out) {
  PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
  PIXPRESS_ASSIGN_OR_RETURN(Metadata metadata, ReadJpegMetadata(encoded, limits));
  const Metadata kept = ApplyPolicy(std::move(metadata), policy, false);
  PIXPRESS_RETURN_IF_ERROR(AppendHead(encoded, policy, kept, out));
  JpegWalker walker(encoded);
  JpegSegment segment;
  while (walker.Next(&segment)) {
    const bool is_adobe = segment.marker == kJpegApp14 && StartsWith(segment.payload, "Adobe");
    if (IsMetadata(segment) && policy != MetadataPolicy::kAll && !is_adobe) continue;
    if (IsPictureIndex(segment)) continue;
    // No further than it takes to be beyond the limit.
    const size_t end =
        segment.marker == kJpegSos ? walker.EndOfScan(out->left_bytes()) : segment.end;
    PIXPRESS_RETURN_IF_ERROR(out->Append(encoded.subspan(segment.begin, end - segment.begin)));
    if (segment.marker == kJpegEoi) return Status();
  }
  return Status(StatusCode::kCorruptImage, "JPEG: the file ends before its end marker");
}

std::array<uint8_t, 14> MakeJfifPayload(const std::optional<Density>& density) {
  std::array<uint8_t, 14> jfif = {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
  if (!density.has_value()) return jfif;
  const bool per_meter = density->unit == Density::Unit::kPerMeter;
  const uint32_t divisor = per_meter ? 100 : 1;
  const uint32_t x = density->x / divisor, y = density->y / divisor;
  if (x > 65535 || y > 65535) return jfif;
  jfif[7] = per_meter ? 2 : static_cast<uint8_t>(density->unit);
  jfif[8] = static_cast<uint8_t>(std::max(x, 1u) >> 8);
  jfif[9] = static_cast<uint8_t>(std::max(x, 1u));
  jfif[10] = static_cast<uint8_t>(std::max(y, 1u) >> 8);
  jfif[11] = static_cast<uint8_t>(std::max(y, 1u));
  return jfif;
}

}  // namespace pixpress
