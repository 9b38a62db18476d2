#pragma once
// GIF as a sequence of blocks: walks them within bounds, reads no pixels, allocates nothing.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codecs/codec.h"

namespace pixpress {

bool HasGifSignature(Bytes head);

// What shows a frame: the graphic control extension.
enum class GifDisposal : uint8_t { kKeep = 1, kBackground = 2, kPrevious = 3 };

// Spans lie in the input.
struct GifScreen {
  uint32_t width = 0;  // As stored; the first frame may reach beyond.
  uint32_t height = 0;
  Bytes header;  // Signature, descriptor and table.
  Bytes table;   // Global colors, 3 bytes each; empty if there are none.
  uint8_t background = 0;
};

struct GifImage {
  uint32_t x = 0;
  uint32_t y = 0;
  uint32_t width = 0;
  uint32_t height = 0;
  bool is_interlaced = false;
  Bytes table;  // Local colors; empty if there are none.
  uint8_t code_bits = 0;
  Bytes data;               // Sub-blocks of LZW codes, their terminator included.
  bool is_complete = true;  // False: the bytes end before the data does.
  Bytes control;            // The graphic control extension; empty if there is none.
  std::optional<uint8_t> transparent;
  GifDisposal disposal = GifDisposal::kKeep;
  uint16_t delay = 0;  // 1/100 s
  Bytes whole;         // From the separator to the end, without `control`.
};

struct GifExtension {
  enum class Kind : uint8_t { kComment, kIcc, kXmp, kLoop, kOther };
  Kind kind = Kind::kOther;
  Bytes whole;
  Bytes data;           // Sub-blocks after the application's name, their terminator included.
  uint16_t repeat = 0;  // kLoop: how often all is shown again; 0: for ever.
};

// The bytes in a chain of sub-blocks.
std::vector<uint8_t> JoinSubBlocks(Bytes data);

class GifWalker {
 public:
  enum class Kind : uint8_t {
    kImage,
    kExtension,
    kTrailer,
    kEndOfBytes,  // Where a block could begin: files without a trailer are common.
    kCutOff,      // The bytes end within a block.
  };

  // `bytes` may be the head of a file.
  explicit GifWalker(Bytes bytes) : bytes_(bytes) {}

  // First of all. False if the bytes end before the screen does.
  bool ReadScreen(GifScreen* screen);
  // The next block into image() or extension(). Control extensions are part of their image. An
  // image whose data is cut off comes with is_complete false before kCutOff does. Unknown blocks
  // are kCorruptImage; extensions together may have max_metadata_bytes.
  Result<Kind> Next(const Limits& limits);

  const GifImage& image() const { return image_; }
  const GifExtension& extension() const { return extension_; }

 private:
  bool SkipSubBlocks();
  Result<Kind> NextImage();
  Kind NextExtension();
  void ReadControl(Bytes whole);

  Bytes bytes_;
  size_t at_ = 0;
  uint64_t extension_bytes_ = 0;
  GifImage image_;
  GifImage control_;  // Only what the control extension says, for the next image.
  GifExtension extension_;
};

}  // namespace pixpress
