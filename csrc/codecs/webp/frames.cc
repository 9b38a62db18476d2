#include "codecs/webp/frames.h"

#include <algorithm>
#include <array>

namespace pixpress {
namespace {

constexpr size_t kHeadBytes = 16;
constexpr uint8_t kIsAnimated = 0x02;
// Flags of a frame.
constexpr uint8_t kClears = 0x01;
constexpr uint8_t kDoesNotBlend = 0x02;

Status Corrupt(const char* what) { return Status(StatusCode::kCorruptImage, what); }

uint32_t Load24(const uint8_t* at) { return at[0] | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16; }

void Store24(uint32_t value, uint8_t* at) {
  for (size_t i = 0; i < 3; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
}

bool IsColor(std::string_view type) { return type == "VP8 " || type == "VP8L"; }

bool SaysAlpha(const WebpChunk& chunk) {
  if (chunk.type == "ALPH") return true;
  return chunk.type == "VP8L" && chunk.data.size() > 4 && (chunk.data[4] & 0x10) != 0;
}

// The image of the frame: from the first chunk of alpha or color to the end of the color, with
// `takes_cut` also where that is cut off; empty if there is none.
void FindImage(WebpChunkReader chunks, bool takes_cut, WebpFrame* frame) {
  WebpChunk chunk;
  const uint8_t* begin = nullptr;
  while (true) {
    const auto step = chunks.Next(&chunk);
    const bool is_cut = step == WebpChunkReader::Step::kCut && takes_cut && IsColor(chunk.type);
    if (step != WebpChunkReader::Step::kChunk && !is_cut) break;
    if (!IsColor(chunk.type) && chunk.type != "ALPH") continue;
    if (begin == nullptr) begin = reinterpret_cast<const uint8_t*>(chunk.type.data());
    frame->has_alpha = frame->has_alpha || SaysAlpha(chunk);
    if (!IsColor(chunk.type)) continue;
    frame->is_lossless = chunk.type == "VP8L";
    frame->image = {begin, chunk.data.data() + chunk.data.size()};
    return;
  }
}

bool AreWhole(WebpChunkReader chunks) {
  WebpChunk chunk;
  WebpChunkReader::Step step;
  while ((step = chunks.Next(&chunk)) == WebpChunkReader::Step::kChunk) continue;
  return step == WebpChunkReader::Step::kEnd;
}

}  // namespace

Result<WebpFrame> ParseWebpFrame(Bytes anmf, uint32_t width, uint32_t height, bool is_cut) {
  if (anmf.size() < kHeadBytes) return Corrupt("a frame is cut off");
  const uint8_t* at = anmf.data();
  WebpFrame frame;
  frame.place = {Load24(at) * 2, Load24(at + 3) * 2, Load24(at + 6) + 1, Load24(at + 9) + 1};
  frame.duration_ms = Load24(at + 12);
  if (uint64_t{frame.place.x} + frame.place.width > width ||
      uint64_t{frame.place.y} + frame.place.height > height) {
    return Corrupt("a frame is outside of the image");
  }
  frame.disposal = (at[15] & kClears) != 0 ? CanvasDisposal::kClear : CanvasDisposal::kKeep;
  frame.blend = (at[15] & kDoesNotBlend) != 0 ? CanvasBlend::kSource : CanvasBlend::kOver;
  const WebpChunkReader chunks = WebpChunkReader::Within(anmf.subspan(kHeadBytes));
  FindImage(chunks, is_cut, &frame);
  if (frame.image.empty()) return Corrupt("a frame has no image");
  // Its length is wrong: where the next frame begins is anybody's guess, and libwebp's another.
  if (!is_cut && !AreWhole(chunks)) return Corrupt("a frame ends inside of a chunk");
  return frame;
}

bool WebpFrameReader::is_animated() const {
  WebpChunkReader reader = first_;
  WebpChunk chunk;
  return reader.Next(&chunk) == WebpChunkReader::Step::kChunk && chunk.type == "VP8X" &&
         !chunk.data.empty() && (chunk.data[0] & kIsAnimated) != 0;
}

Result<bool> WebpFrameReader::Next(uint32_t width, uint32_t height, WebpFrame* frame) {
  WebpChunk chunk;
  while (true) {
    const auto step = chunks_.Next(&chunk);
    const bool is_cut = step == WebpChunkReader::Step::kCut && takes_cut_;
    if (step != WebpChunkReader::Step::kChunk && !is_cut) return false;
    if (chunk.type == "ANMF") {
      PIXPRESS_ASSIGN_OR_RETURN(*frame, ParseWebpFrame(chunk.data, width, height, is_cut));
      return true;
    }
    if (is_cut) return false;
  }
}

Status CheckWebpFrames(Bytes encoded, const ImageInfo& info) {
  WebpFrameReader reader(encoded);
  WebpFrame frame;
  uint32_t frames = 0;
  while (true) {
    PIXPRESS_ASSIGN_OR_RETURN(const bool is_found, reader.Next(info.width, info.height, &frame));
    if (!is_found) break;
    ++frames;
  }
  if (frames == info.frames) return Status();
  return Status(StatusCode::kCorruptImage, "the animation has " + std::to_string(frames) +
                                               " frames instead of " + std::to_string(info.frames));
}

uint32_t WebpLoopCount(Bytes anim) {
  return anim.size() < 6 ? 0 : anim[4] | uint32_t{anim[5]} << 8;
}

Status AppendWebpAnim(uint32_t loop_count, ByteChain* out) {
  const uint32_t plays = std::min(loop_count, 65535u);
  const std::array<uint8_t, 6> anim = {
      0, 0, 0, 0, static_cast<uint8_t>(plays), static_cast<uint8_t>(plays >> 8)};
  return AppendWebpChunk("ANIM", anim, out);
}

Status AppendWebpFrame(const WebpFrame& frame, ByteChain* out) {
  Bytes image = frame.image;
  if (HasWebpSignature(image)) {
    WebpFrame inner;
    FindImage(WebpChunkReader(image), /*takes_cut=*/false, &inner);
    image = inner.image;
  }
  std::array<uint8_t, 8 + kHeadBytes> head = {'A', 'N', 'M', 'F'};
  const auto bytes = static_cast<uint32_t>(kHeadBytes + image.size() + image.size() % 2);
  for (size_t i = 0; i < 4; ++i) head[4 + i] = static_cast<uint8_t>(bytes >> (8 * i));
  uint8_t* at = head.data() + 8;
  Store24(frame.place.x / 2, at);
  Store24(frame.place.y / 2, at + 3);
  Store24(frame.place.width - 1, at + 6);
  Store24(frame.place.height - 1, at + 9);
  Store24(frame.duration_ms, at + 12);
  at[15] = static_cast<uint8_t>((frame.disposal == CanvasDisposal::kClear ? kClears : 0) |
                                (frame.blend == CanvasBlend::kSource ? kDoesNotBlend : 0));
  PIXPRESS_RETURN_IF_ERROR(out->Append(head));
  PIXPRESS_RETURN_IF_ERROR(out->Append(image));
  constexpr std::array<uint8_t, 1> kPad = {0};
  return image.size() % 2 == 0 ? Status() : out->Append(kPad);
}

}  // namespace pixpress
