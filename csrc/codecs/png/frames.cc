#include "codecs/png/frames.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "codecs/png/numbers.h"

namespace pixpress {
namespace {

constexpr size_t kSequenceBytes = 4;
// The unit of a delay whose denominator is 0.
constexpr uint32_t kDefaultDenominator = 100;
constexpr uint32_t kChunksPerPoll = 256;

constexpr std::array<uint8_t, 12> kEndChunk = {0,   0,   0,    0,    'I',  'E',
                                               'N', 'D', 0xAE, 0x42, 0x60, 0x82};

Status Corrupt(const char* what) { return Status(StatusCode::kCorruptImage, what); }

uint32_t Load16(const uint8_t* at) { return uint32_t{at[0]} << 8 | at[1]; }

void Store16(uint32_t value, uint8_t* at) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

bool LiesIn(const CanvasPlace& place, uint32_t width, uint32_t height) {
  return place.width > 0 && place.height > 0 && place.width <= width && place.height <= height &&
         place.x <= width - place.width && place.y <= height - place.height;
}

// Takes all chunks in their order.
class FrameChecker {
 public:
  explicit FrameChecker(const ImageInfo& info) : info_(info) {}

  Status Take(const PngChunk& chunk) {
    if (chunk.type == "fcTL") return TakeControl(chunk.data);
    if (chunk.type == "fdAT") return TakeFrameData(chunk.data);
    if (chunk.type == "IDAT") {
      has_image_ = true;
      if (frames_ > 0) has_data_ = true;
    }
    return Status();
  }

  Status Finish() const {
    if (frames_ > 0 && !has_data_) return Corrupt("the last frame has no data");
    if (frames_ == info_.frames) return Status();
    return Status(StatusCode::kCorruptImage, "the animation has " + std::to_string(frames_) +
                                                 " frames instead of " +
                                                 std::to_string(info_.frames));
  }

 private:
  Status TakeSequence(uint32_t sequence) {
    return sequence == next_sequence_++ ? Status() : Corrupt("the frames are out of order");
  }

  Status TakeControl(Bytes data) {
    if (frames_ > 0 && !has_data_) return Corrupt("a frame has no data");
    PIXPRESS_ASSIGN_OR_RETURN(const PngFrameControl control,
                              ParsePngFrameControl(data, info_.width, info_.height));
    PIXPRESS_RETURN_IF_ERROR(TakeSequence(control.sequence));
    if (!has_image_ &&
        (control.place.width != info_.width || control.place.height != info_.height)) {
      return Corrupt("the first frame does not have the size of the image");
    }
    is_image_ = !has_image_;
    has_data_ = false;
    ++frames_;
    return Status();
  }

  Status TakeFrameData(Bytes data) {
    if (data.size() < kSequenceBytes) return Corrupt("a frame has damaged data");
    if (frames_ == 0 || is_image_) return Corrupt("there is frame data without a frame");
    has_data_ = true;
    return TakeSequence(LoadPng32(data.data()));
  }

  const ImageInfo& info_;
  uint32_t next_sequence_ = 0;
  uint32_t frames_ = 0;
  bool has_image_ = false;  // IDAT was seen.
  bool is_image_ = false;   // The present frame is in IDAT.
  bool has_data_ = false;   // Of the present frame.
};

}  // namespace

Result<PngFrameControl> ParsePngFrameControl(Bytes data, uint32_t width, uint32_t height) {
  if (data.size() != kPngFrameControlBytes) return Corrupt("fcTL has the wrong size");
  PngFrameControl control;
  const uint8_t* at = data.data();
  control.sequence = LoadPng32(at);
  control.place = {LoadPng32(at + 12), LoadPng32(at + 16), LoadPng32(at + 4), LoadPng32(at + 8)};
  if (!LiesIn(control.place, width, height)) return Corrupt("a frame is outside of the image");
  control.duration = {Load16(at + 20), Load16(at + 22)};
  if (control.duration.denominator == 0) control.duration.denominator = kDefaultDenominator;
  if (at[24] > 2 || at[25] > 1) return Corrupt("fcTL has unknown operations");
  control.disposal = static_cast<CanvasDisposal>(at[24]);
  control.blend = static_cast<CanvasBlend>(at[25]);
  return control;
}

std::array<uint8_t, kPngFrameControlBytes> MakePngFrameControl(const PngFrameControl& control) {
  std::array<uint8_t, kPngFrameControlBytes> data = {};
  StorePng32(control.sequence, data.data());
  StorePng32(control.place.width, data.data() + 4);
  StorePng32(control.place.height, data.data() + 8);
  StorePng32(control.place.x, data.data() + 12);
  StorePng32(control.place.y, data.data() + 16);
  Store16(control.duration.numerator, data.data() + 20);
  Store16(control.duration.denominator, data.data() + 22);
  data[24] = static_cast<uint8_t>(control.disposal);
  data[25] = static_cast<uint8_t>(control.blend);
  return data;
}

namespace {

// All chunks in their order, from `reader`; `chunk` is the last that was looked at, `*begin` where.
Status CheckChunks(const ImageInfo& info, const WorkContext& context, PngChunkReader& reader,
                   PngChunk* chunk, size_t* begin) {
  FrameChecker checker(info);
  for (uint64_t chunks = 0;; ++chunks) {
    if (chunks % kChunksPerPoll == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    *begin = reader.position();
    PIXPRESS_ASSIGN_OR_RETURN(const auto step, reader.Next(chunk));
    if (step == PngChunkReader::Step::kCut) return Corrupt("the file ends before its last chunk");
    if (step == PngChunkReader::Step::kEnd) return checker.Finish();
    PIXPRESS_RETURN_IF_ERROR(checker.Take(*chunk));
  }
}

}  // namespace

Status CheckPngFrames(Bytes encoded, const ImageInfo& info, const WorkContext& context) {
  PngChunkReader reader(encoded, /*checks_data=*/true);
  PngChunk chunk;
  size_t begin = 0;
  return CheckChunks(info, context, reader, &chunk, &begin);
}

Result<Bytes> SoundPngFrames(Bytes encoded, const ImageInfo& info, const WorkContext& context) {
  PngChunkReader reader(encoded, /*checks_data=*/true);
  PngChunk chunk;
  size_t begin = 0;
  const Status status = CheckChunks(info, context, reader, &chunk, &begin);
  PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
  if (status.ok() || chunk.type != "IDAT") return encoded.first(begin);
  return encoded.first(chunk.whole.empty() ? encoded.size() : begin + chunk.whole.size());
}

PngFrameInput::PngFrameInput(std::vector<uint8_t> head, const PngChunkReader& rest,
                             std::string_view data_type)
    : head_(std::move(head)), data_type_(data_type), rest_(rest), piece_(head_) {}

bool PngFrameInput::Read(uint8_t* out, size_t count) {
  while (count > 0) {
    if (piece_.empty() && !NextPiece()) return false;
    const size_t bytes = std::min(count, piece_.size());
    if (bytes == 0) continue;
    std::memcpy(out, piece_.data(), bytes);
    piece_ = piece_.subspan(bytes);
    out += bytes;
    count -= bytes;
  }
  return true;
}

bool PngFrameInput::NextPiece() {
  switch (part_) {
    case Part::kHead:
    case Part::kChunkTail:
      NextChunk();
      return true;
    case Part::kChunkHead:
      part_ = Part::kChunkData;
      piece_ = chunk_data_;
      return true;
    case Part::kChunkData:
      part_ = Part::kChunkTail;
      piece_ = chunk_tail_;
      return true;
    case Part::kEnd:
      break;
  }
  return false;
}

Result<std::unique_ptr<PngInput>> MakeDamagedPngInput(Bytes encoded) {
  constexpr size_t kMostChunkBytes = 12 + 3 * 256;  // Of a palette, the longest that is needed.
  PngChunkReader reader(encoded, /*checks_data=*/false);
  const Bytes signature = encoded.first(reader.position());
  std::vector<uint8_t> head(signature.begin(), signature.end());
  while (true) {
    const PngChunkReader rest = reader;
    PngChunk chunk;
    PIXPRESS_ASSIGN_OR_RETURN(const auto step, reader.Next(&chunk));
    if (chunk.type == "IDAT") {
      return std::unique_ptr<PngInput>(
          std::make_unique<PngFrameInput>(std::move(head), rest, "IDAT"));
    }
    if (step != PngChunkReader::Step::kChunk) return Corrupt("the file is truncated");
    const bool is_needed = chunk.type == "IHDR" || chunk.type == "PLTE" || chunk.type == "tRNS";
    if (!is_needed || chunk.whole.size() > kMostChunkBytes) continue;
    head.insert(head.end(), chunk.whole.begin(), chunk.whole.end());
  }
}

// To the head of the next chunk of data, or to the end of the frame.
void PngFrameInput::NextChunk() {
  part_ = Part::kEnd;
  piece_ = kEndChunk;
  if (is_cut_) return;
  PngChunk chunk;
  while (true) {
    const auto step = rest_.Next(&chunk);
    if (!step.ok() || step.value() == PngChunkReader::Step::kEnd || chunk.type == "fcTL") return;
    is_cut_ = step.value() == PngChunkReader::Step::kCut;
    if (chunk.type == data_type_) break;
    if (is_cut_) return;
  }
  chunk_data_ = data_type_ == "fdAT" ? chunk.data.subspan(kSequenceBytes) : chunk.data;
  StorePng32(static_cast<uint32_t>(chunk_data_.size()), chunk_head_.data());
  std::memcpy(chunk_head_.data() + 4, "IDAT", 4);
  uint32_t crc = libdeflate_crc32(0, chunk_head_.data() + 4, 4);
  if (!chunk_data_.empty()) crc = libdeflate_crc32(crc, chunk_data_.data(), chunk_data_.size());
  StorePng32(crc, chunk_tail_.data());
  part_ = Part::kChunkHead;
  piece_ = chunk_head_;
}

}  // namespace pixpress
