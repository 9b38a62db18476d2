#include "codecs/gif/blocks.h"

#include <string>

namespace pixpress {
namespace {

constexpr size_t kScreenBytes = 13;
constexpr size_t kDescriptorBytes = 10;
constexpr uint8_t kSeparator = 0x2C;
constexpr uint8_t kIntroducer = 0x21;
constexpr uint8_t kTrailerByte = 0x3B;
constexpr uint8_t kControlLabel = 0xF9;
constexpr uint8_t kCommentLabel = 0xFE;
constexpr uint8_t kApplicationLabel = 0xFF;
constexpr size_t kApplicationBytes = 11;  // Name and code.
constexpr size_t kControlBytes = 8;       // With introducer and terminator.

uint16_t Load16(const uint8_t* at) { return static_cast<uint16_t>(at[0] | at[1] << 8); }

// The bytes of a color table by the flags of a descriptor.
size_t TableBytes(uint8_t flags) {
  return (flags & 0x80) != 0 ? size_t{3} << ((flags & 7) + 1) : 0;
}

GifExtension::Kind ApplicationKind(std::string_view name) {
  if (name == "NETSCAPE2.0" || name == "ANIMEXTS1.0") return GifExtension::Kind::kLoop;
  if (name == "ICCRGBG1012") return GifExtension::Kind::kIcc;
  if (name == "XMP DataXMP") return GifExtension::Kind::kXmp;
  return GifExtension::Kind::kOther;
}

}  // namespace

bool HasGifSignature(Bytes head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  return text.starts_with("GIF87a") || text.starts_with("GIF89a");
}

std::vector<uint8_t> JoinSubBlocks(Bytes data) {
  std::vector<uint8_t> joined;
  size_t at = 0;
  while (at < data.size() && data[at] != 0 && data[at] < data.size() - at) {
    const Bytes block = data.subspan(at + 1, data[at]);
    joined.insert(joined.end(), block.begin(), block.end());
    at += block.size() + 1;
  }
  return joined;
}

bool GifWalker::ReadScreen(GifScreen* screen) {
  if (bytes_.size() < kScreenBytes) return false;
  const size_t table_bytes = TableBytes(bytes_[10]);
  if (bytes_.size() - kScreenBytes < table_bytes) return false;
  screen->width = Load16(bytes_.data() + 6);
  screen->height = Load16(bytes_.data() + 8);
  screen->background = bytes_[11];
  screen->table = bytes_.subspan(kScreenBytes, table_bytes);
  screen->header = bytes_.first(kScreenBytes + table_bytes);
  at_ = kScreenBytes + table_bytes;
  return true;
}

Result<GifWalker::Kind> GifWalker::Next(const Limits& limits) {
  while (true) {
    if (!image_.is_complete) return Kind::kCutOff;
    // Stray terminators between blocks are harmless, and common.
    while (at_ < bytes_.size() && bytes_[at_] == 0) ++at_;
    if (at_ == bytes_.size()) return Kind::kEndOfBytes;
    const uint8_t introducer = bytes_[at_];
    if (introducer == kTrailerByte) return Kind::kTrailer;
    if (introducer == kSeparator) return NextImage();
    if (introducer != kIntroducer) {
      return Status(StatusCode::kCorruptImage,
                    "a GIF block begins with the unknown byte " + std::to_string(introducer));
    }
    const size_t begin = at_;
    const Kind kind = NextExtension();
    if (kind == Kind::kCutOff) return kind;
    if (bytes_[begin + 1] == kControlLabel) {
      ReadControl(bytes_.subspan(begin, at_ - begin));
      continue;
    }
    // A control extension before a text is the text's.
    if (bytes_[begin + 1] == 1) control_ = GifImage();
    extension_bytes_ += at_ - begin;
    PIXPRESS_RETURN_IF_ERROR(CheckMetadataBytes(extension_bytes_, limits));
    return kind;
  }
}

// Moves behind the terminator; false, and to the end, if there is none.
bool GifWalker::SkipSubBlocks() {
  while (at_ < bytes_.size()) {
    const size_t length = bytes_[at_++];
    if (length == 0) return true;
    if (length > bytes_.size() - at_) break;
    at_ += length;
  }
  at_ = bytes_.size();
  return false;
}

Result<GifWalker::Kind> GifWalker::NextImage() {
  const size_t begin = at_;
  const size_t left = bytes_.size() - begin;
  const size_t table_bytes =
      left < kDescriptorBytes ? 0 : TableBytes(bytes_[begin + kDescriptorBytes - 1]);
  if (left < kDescriptorBytes + table_bytes + 1) return Kind::kCutOff;
  const uint8_t* descriptor = bytes_.data() + begin;
  image_ = control_;
  control_ = GifImage();
  image_.x = Load16(descriptor + 1);
  image_.y = Load16(descriptor + 3);
  image_.width = Load16(descriptor + 5);
  image_.height = Load16(descriptor + 7);
  image_.is_interlaced = (descriptor[9] & 0x40) != 0;
  image_.table = bytes_.subspan(begin + kDescriptorBytes, table_bytes);
  at_ = begin + kDescriptorBytes + table_bytes;
  image_.code_bits = bytes_[at_++];
  const size_t data_begin = at_;
  image_.is_complete = SkipSubBlocks();
  image_.data = bytes_.subspan(data_begin, at_ - data_begin);
  image_.whole = bytes_.subspan(begin, at_ - begin);
  return Kind::kImage;
}

GifWalker::Kind GifWalker::NextExtension() {
  const size_t begin = at_;
  extension_ = GifExtension();
  if (bytes_.size() - begin < 2) return Kind::kCutOff;
  const uint8_t label = bytes_[begin + 1];
  at_ = begin + 2;
  size_t data_begin = at_;
  if (label == kCommentLabel) extension_.kind = GifExtension::Kind::kComment;
  if (label == kApplicationLabel && bytes_.size() - at_ > kApplicationBytes &&
      bytes_[at_] == kApplicationBytes) {
    data_begin += kApplicationBytes + 1;
    extension_.kind = ApplicationKind(
        {reinterpret_cast<const char*>(bytes_.data()) + at_ + 1, kApplicationBytes});
  }
  if (!SkipSubBlocks()) return Kind::kCutOff;
  extension_.whole = bytes_.subspan(begin, at_ - begin);
  extension_.data = bytes_.subspan(data_begin, at_ - data_begin);
  if (extension_.kind == GifExtension::Kind::kLoop) {
    const Bytes& data = extension_.data;
    const bool has_count = data.size() > 4 && data[0] >= 3 && data[1] == 1;
    if (has_count) extension_.repeat = Load16(data.data() + 2);
    if (!has_count) extension_.kind = GifExtension::Kind::kOther;
  }
  return Kind::kExtension;
}

void GifWalker::ReadControl(Bytes whole) {
  if (whole.size() < kControlBytes || whole[2] < 4) return;
  const uint8_t flags = whole[3];
  const uint8_t disposal = flags >> 2 & 7;
  control_.control = whole;
  control_.disposal = disposal == 2 || disposal == 3 ? GifDisposal{disposal} : GifDisposal::kKeep;
  control_.delay = Load16(whole.data() + 4);
  control_.transparent.reset();
  if ((flags & 1) != 0) control_.transparent = whole[6];
}

}  // namespace pixpress
