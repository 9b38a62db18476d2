#include <algorithm>
#include <array>
#include <cctype>

#include "codecs/codec.h"

namespace pixpress {
namespace {

constexpr std::array kCodecs = {
    &kJpegCodec, &kPngCodec, &kWebpCodec, &kGifCodec,
#ifdef PIXPRESS_AVIF
    &kAvifCodec,
#endif
};

template <typename Predicate>
const Codec* FindIf(Predicate matches) {
  const auto found = std::find_if(kCodecs.begin(), kCodecs.end(), matches);
  return found == kCodecs.end() ? nullptr : *found;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

bool StartsWith(Bytes head, size_t offset, std::string_view magic) {
  return head.size() >= offset + magic.size() &&
         std::equal(magic.begin(), magic.end(), head.begin() + offset,
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

// Image formats that people have and that are not built in: naming them helps more than "unknown".
std::string_view KnownForeignFormat(Bytes head) {
  if (StartsWith(head, 4, "ftypavif") || StartsWith(head, 4, "ftypavis")) return "AVIF";
  if (StartsWith(head, 4, "ftyphei") || StartsWith(head, 4, "ftypmif1")) return "HEIF";
  if (StartsWith(head, 0, "II*") || StartsWith(head, 0, std::string_view("MM\0*", 4))) {
    return "TIFF";
  }
  if (StartsWith(head, 0, "BM")) return "BMP";
  if (StartsWith(head, 0, "8BPS")) return "PSD";
  if (StartsWith(head, 0, "\xff\x0a") ||
      StartsWith(head, 0, std::string_view("\0\0\0\x0cJXL ", 8))) {
    return "JPEG XL";
  }
  if (StartsWith(head, 4, "\x11\xaf") || StartsWith(head, 4, "\x12\xaf")) return "FLI";
  return {};
}

}  // namespace

std::span<const Codec* const> AllCodecs() { return kCodecs; }

const Codec* FindCodec(Format format) {
  return FindIf([&](const Codec* codec) { return codec->format == format; });
}

const Codec* FindCodecByName(std::string_view name) {
  return FindIf([&](const Codec* codec) { return codec->name == name; });
}

const Codec* FindCodecByExtension(std::string_view extension) {
  return FindIf([&](const Codec* codec) {
    return std::any_of(codec->extensions.begin(), codec->extensions.end(),
                       [&](auto known) { return EqualsIgnoringCase(known, extension); });
  });
}

Result<const Codec*> IdentifyCodec(Bytes head) {
  if (const Codec* codec = FindIf([&](const Codec* row) { return row->sniff(head); })) return codec;
  if (head.empty()) return Status(StatusCode::kUnidentifiedImage, "the input is empty");
  const std::string_view foreign = KnownForeignFormat(head);
  if (!foreign.empty()) {
    return Status(StatusCode::kUnsupportedFormat,
                  std::string(foreign) + " images are not supported by this build");
  }
  return Status(StatusCode::kUnidentifiedImage, "the input is not an image of a known format");
}

}  // namespace pixpress
