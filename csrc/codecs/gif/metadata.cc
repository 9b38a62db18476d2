#include "codecs/gif/metadata.h"

#include <algorithm>

#include "codecs/gif/blocks.h"
#include "codecs/gif/writer.h"

namespace pixpress {
namespace {

Status Truncated() { return Status(StatusCode::kCorruptImage, "the GIF file is truncated"); }

std::vector<uint8_t> XmpOf(Bytes data) {
  if (data.size() < kGifXmpTailBytes || data[data.size() - kGifXmpTailBytes] != 1 ||
      data[data.size() - kGifXmpTailBytes + 1] != 255) {
    return JoinSubBlocks(data);
  }
  return {data.begin(), data.end() - kGifXmpTailBytes};
}

void Read(const GifExtension& extension, Metadata* metadata) {
  switch (extension.kind) {
    case GifExtension::Kind::kIcc:
      metadata->icc = JoinSubBlocks(extension.data);
      return;
    case GifExtension::Kind::kXmp:
      metadata->xmp = XmpOf(extension.data);
      return;
    case GifExtension::Kind::kComment: {
      const std::vector<uint8_t> text = JoinSubBlocks(extension.data);
      if (!text.empty()) metadata->comments.emplace_back(text.begin(), text.end());
      return;
    }
    case GifExtension::Kind::kLoop:
    case GifExtension::Kind::kOther:
      return;
  }
}

bool IsKept(const GifExtension& extension, MetadataPolicy policy) {
  return policy == MetadataPolicy::kAll || extension.kind == GifExtension::Kind::kLoop ||
         extension.kind == GifExtension::Kind::kIcc;
}

}  // namespace

Result<Metadata> ReadGifMetadata(Bytes encoded, const Limits& limits) {
  GifWalker walker(encoded);
  GifScreen screen;
  if (!walker.ReadScreen(&screen)) return Truncated();
  Metadata metadata;
  while (true) {
    const auto next = walker.Next(limits);
    if (next.status().code() == StatusCode::kCorruptImage) return metadata;
    PIXPRESS_RETURN_IF_ERROR(next.status());
    const GifWalker::Kind kind = next.value();
    if (kind == GifWalker::Kind::kExtension) {
      Read(walker.extension(), &metadata);
    } else if (kind != GifWalker::Kind::kImage) {
      return metadata;
    }
  }
}

Status RewriteGif(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                  const WorkContext& context, ByteChain* out) {
  GifWalker walker(encoded);
  GifScreen screen;
  if (!walker.ReadScreen(&screen)) return Truncated();
  PIXPRESS_RETURN_IF_ERROR(out->Append(screen.header));
  while (true) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    PIXPRESS_ASSIGN_OR_RETURN(const GifWalker::Kind kind, walker.Next(limits));
    if (kind == GifWalker::Kind::kCutOff) return Truncated();
    if (kind == GifWalker::Kind::kImage) {
      PIXPRESS_RETURN_IF_ERROR(out->Append(walker.image().control));
      PIXPRESS_RETURN_IF_ERROR(out->Append(walker.image().whole));
    } else if (kind == GifWalker::Kind::kExtension) {
      if (IsKept(walker.extension(), policy)) {
        PIXPRESS_RETURN_IF_ERROR(out->Append(walker.extension().whole));
      }
    } else {
      return AppendGifTrailer(out);
    }
  }
}

}  // namespace pixpress
