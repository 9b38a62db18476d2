#include "codecs/jpeg/entropy_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace pixpress {
namespace {

constexpr uint8_t kFirstRestart = 0xD0;

}  // namespace

const JpegDecodeTable* JpegEntropyDecoder::Tables::Of(size_t slot, const JpegHuffmanSpec& spec,
                                                      bool is_dc) {
  if (const JpegDecodeTable* standard = StandardJpegDecodeTable(spec, is_dc)) return standard;
  std::unique_ptr<JpegDecodeTable>& own = own_[slot];
  if (own == nullptr) {
    own = std::make_unique<JpegDecodeTable>();
    if (!own->Build(spec, is_dc)) own.reset();
  }
  return own.get();
}

uint64_t JpegEntropyDecoder::MemoryBytes() { return JpegScanWindow::MemoryBytes(); }

Status JpegEntropyDecoder::Start(const JpegFrame& frame, Meter& meter) {
  frame_ = &frame;
  for (size_t c = 0; c < frame.component_count; ++c) {
    const JpegFrameComponent& own = frame.components[c];
    dc_of_[c] = dc_.Of(own.dc, frame.dc[own.dc], /*is_dc=*/true);
    ac_of_[c] = ac_.Of(own.ac, frame.ac[own.ac], /*is_dc=*/false);
    if (dc_of_[c] == nullptr || ac_of_[c] == nullptr) {
      return Status(StatusCode::kUnsupportedFormat, "JPEG: a Huffman table is wrong");
    }
  }
  predictors_ = {};
  next_restart_ = 0;
  mcus_left_ =
      frame.restart_interval > 0 ? frame.restart_interval : std::numeric_limits<uint64_t>::max();
  return window_.Start(frame.scan, meter);
}

Status JpegEntropyDecoder::StartLike(const JpegEntropyDecoder& other, Meter& meter) {
  frame_ = other.frame_;
  dc_of_ = other.dc_of_;
  ac_of_ = other.ac_of_;
  return window_.Start(frame_->scan, meter);
}

void JpegEntropyDecoder::GoTo(const JpegScanWindow::Place& place, uint64_t mcus,
                              const std::array<int32_t, 3>& predictors) {
  window_.GoTo(place);
  predictors_ = predictors;
  const uint64_t interval = frame_->restart_interval;
  if (interval == 0) return;
  const uint64_t restarts = mcus == 0 ? 0 : (mcus - 1) / interval;
  mcus_left_ = (restarts + 1) * interval - mcus;
  next_restart_ = static_cast<uint8_t>(restarts & 7);
}

void JpegEntropyDecoder::GoToRestart(size_t offset) {
  window_.GoTo({.offset = offset, .bit = 0});
  predictors_ = {};
  mcus_left_ = 0;
  next_restart_ = frame_->scan[offset + 1] & 7;
}

bool JpegEntropyDecoder::Restart() {
  if (!window_.NextInterval(kFirstRestart + next_restart_)) return false;
  next_restart_ = (next_restart_ + 1) & 7;
  predictors_ = {};
  mcus_left_ = frame_->restart_interval;
  return true;
}

bool JpegEntropyDecoder::ReadMcu(const JpegBlockTargets& blocks, uint32_t column) {
  JpegBitReader in = window_.reader();
  for (size_t c = 0; c < frame_->component_count; ++c) {
    const JpegFrameComponent& component = frame_->components[c];
    for (size_t y = 0; y < component.v; ++y) {
      int16_t* const row = blocks[c][y] + size_t{column} * component.h * 64;
      for (size_t x = 0; x < component.h; ++x) {
        if (!ReadBlock(in, c, row + x * 64)) return false;
      }
    }
  }
  window_.reader() = in;
  return true;
}

bool JpegEntropyDecoder::ReadRow(const JpegBlockTargets& blocks) {
  for (uint32_t column = 0; column < frame_->mcu_columns; ++column) {
    if (!BeginMcu() || !ReadMcu(blocks, column) || !EndMcu()) return false;
  }
  return true;
}

}  // namespace pixpress
