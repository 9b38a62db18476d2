#include "codecs/jpeg/plane_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "codecs/jpeg/decode.h"
#include "kernels/inverse_dct.h"

namespace pixpress {
namespace {

// Making a table takes as long as reading some hundred blocks.
constexpr uint64_t kFewestSkippedBlocks = 1 << 12;

}  // namespace

JpegPlaneSource::JpegPlaneSource(const ImageInfo& info, const DecodeOptions& options,
                                 const WorkContext& context)
    : info_(info),
      options_(options),
      context_(context),
      layout_(JpegDecodedLayout(info, options)) {}

Result<bool> JpegPlaneSource::Start(Bytes encoded) {
  encoded_ = encoded;
  Result<JpegFrame> frame = ParseJpegFrame(encoded);
  if (!frame.ok()) return false;
  own_.emplace().frame = std::move(frame).value();
  if (own_->frame.component_count != layout_.plane_count) return false;
  const Status status = own_->decoder.Start(own_->frame, context_.meter);
  if (status.code() == StatusCode::kUnsupportedFormat) return false;
  PIXPRESS_RETURN_IF_ERROR(status);
  PIXPRESS_RETURN_IF_ERROR(AllocateRows());
  PIXPRESS_RETURN_IF_ERROR(StartSkipping());
  return true;
}

Status JpegPlaneSource::AllocateRows() {
  const JpegFrame& frame = own_->frame;
  size_t bytes = 0;
  for (size_t c = 0; c < frame.component_count; ++c) {
    Plane& plane = planes_[c];
    plane.side = JpegBlockSide(info_.planar, c, options_);
    plane.stride_bytes = RoundUpTo<size_t>(size_t{frame.block_columns(c)} * plane.side, 64);
    for (size_t k = 0; k < 64; ++k) {
      plane.steps[kJpegNaturalOrder[k]] =
          static_cast<int16_t>(frame.quant[frame.components[c].quant][k]);
    }
    bytes += plane.stride_bytes * frame.components[c].v * plane.side;
  }
  PIXPRESS_ASSIGN_OR_RETURN(own_->rows, context_.meter.Allocate(bytes));
  uint8_t* next = own_->rows.data();
  for (size_t c = 0; c < frame.component_count; ++c) {
    planes_[c].rows = next;
    next += planes_[c].stride_bytes * frame.components[c].v * planes_[c].side;
  }
  return Status();
}

const JpegSkipTable* JpegPlaneSource::MakeSkips(size_t component, bool is_dc) {
  const JpegDecodeTable& table =
      is_dc ? own_->decoder.dc_table(component) : own_->decoder.ac_table(component);
  if (const JpegSkipTable* ready = StandardJpegSkipTable(table)) return ready;
  const JpegFrameComponent& own = own_->frame.components[component];
  auto& made = is_dc ? own_->dc_skips[own.dc] : own_->ac_skips[own.ac];
  if (made == nullptr) {
    made = std::make_unique<JpegSkipTable>();
    made->Build(table, is_dc);
  }
  return made.get();
}

Status JpegPlaneSource::StartSkipping() {
  const JpegFrame& frame = own_->frame;
  if (frame.mcu_count() * frame.mcu_blocks() < kFewestSkippedBlocks) return Status();
  bool is_flat = frame.restart_interval == 0;
  for (size_t c = 0; c < frame.component_count; ++c) {
    is_flat &= planes_[c].side == 1;
    if (planes_[c].side == 1) planes_[c].skips = MakeSkips(c, /*is_dc=*/false);
  }
  if (!is_flat) return Status();
  JpegBlockFinder::SkipTables dc = {}, ac = {};
  for (size_t c = 0; c < frame.component_count; ++c) {
    dc[c] = MakeSkips(c, /*is_dc=*/true);
    ac[c] = planes_[c].skips;
  }
  return own_->finder.emplace().Start(frame, own_->decoder, dc, ac, context_.meter);
}

// Decode a block to samples. AC coefficients that no sample depends on are only skipped.
inline bool JpegPlaneSource::ReadBlock(JpegBitReader& in, size_t component, uint8_t* out) {
  JpegEntropyDecoder& decoder = own_->decoder;
  const Plane& plane = planes_[component];
  int32_t& dc = decoder.predictor(component);
  if (!ReadJpegDc(in, decoder.dc_table(component), &dc)) return false;
  const JpegDecodeTable& ac_table = decoder.ac_table(component);
  if (plane.side == 1) {
    *out = InverseDctFlat(dc, plane.steps[0]);
    if (plane.skips != nullptr) return SkipJpegAc(in, ac_table, *plane.skips);
    return ReadJpegAc(in, ac_table, [](uint32_t, JpegValue) {});
  }
  ReadyBlock& block = blocks_[block_];
  uint32_t magnitudes = 0;
  int16_t* const coefficients = block.coefficients.data();
  const bool is_good = ReadJpegAc(in, ac_table, [&](uint32_t k, JpegValue value) {
    coefficients[kJpegSafeOrder[k]] = static_cast<int16_t>(value.Signed());
    magnitudes |= value.magnitude;
  });
  if (!is_good) return false;
  if (magnitudes == 0) {
    const uint8_t flat = InverseDctFlat(dc, plane.steps[0]);
    for (uint32_t y = 0; y < plane.side; ++y) {
      std::memset(out + y * plane.stride_bytes, flat, plane.side);
    }
    return true;
  }
  coefficients[0] = static_cast<int16_t>(dc);
  block.plane = &plane;
  block.out = out;
  // One block behind: what was just stored in small pieces cannot be loaded in large ones yet.
  block_ ^= 1;
  TransformReady();
  return true;
}

void JpegPlaneSource::TransformReady() {
  ReadyBlock& block = blocks_[block_];
  if (block.plane == nullptr) return;
  const Plane& plane = *std::exchange(block.plane, nullptr);
  InverseDct(plane.side, block.coefficients.data(), plane.steps.data(), block.out,
             plane.stride_bytes);
}

bool JpegPlaneSource::DecodeMcu(uint32_t column) {
  JpegEntropyDecoder& decoder = own_->decoder;
  if (!decoder.BeginMcu()) return false;
  JpegBitReader in = decoder.reader();
  for (size_t c = 0; c < own_->frame.component_count; ++c) {
    const JpegFrameComponent& component = own_->frame.components[c];
    const Plane& plane = planes_[c];
    uint8_t* row = plane.rows + size_t{column} * component.h * plane.side;
    for (size_t y = 0; y < component.v; ++y, row += plane.side * plane.stride_bytes) {
      for (size_t x = 0; x < component.h; ++x) {
        if (!ReadBlock(in, c, row + x * plane.side)) return false;
      }
    }
  }
  decoder.reader() = in;
  return decoder.EndMcu();
}

// Returns how many of the row are decoded then, from its begin on.
uint32_t JpegPlaneSource::FindFlatMcus() {
  if (!own_->finder.has_value()) return 0;
  JpegBlockFinder::Targets targets;
  for (size_t c = 0; c < own_->frame.component_count; ++c) {
    targets[c] = {planes_[c].rows, planes_[c].stride_bytes, planes_[c].steps[0]};
  }
  return own_->finder->ReadFlat(own_->frame.mcu_columns, targets);
}

bool JpegPlaneSource::DecodeRow() {
  const JpegFrame& frame = own_->frame;
  const uint32_t found = FindFlatMcus();
  for (uint32_t column = found; column < frame.mcu_columns; ++column) {
    if (!DecodeMcu(column)) return false;
  }
  block_ ^= 1;
  TransformReady();
  ++mcu_row_;
  return mcu_row_ < frame.mcu_rows || own_->decoder.is_at_end();
}

// The rows that were given already come again, and are passed over.
Status JpegPlaneSource::NextOfLibrary(Stripe* stripe) {
  bool has_rows = false;
  do {
    PIXPRESS_RETURN_IF_ERROR(library_->Next(stripe));
    for (size_t p = 0; p < layout_.plane_count; ++p) {
      PlaneRows& rows = stripe->planes[p];
      const uint32_t end = rows.first_row + rows.rows;
      const uint32_t given = std::clamp(planes_[p].next_row, rows.first_row, end) - rows.first_row;
      rows = {rows.row(given), rows.stride_bytes, rows.first_row + given, rows.rows - given};
      planes_[p].next_row = std::max(planes_[p].next_row, end);
      has_rows |= rows.rows > 0;
    }
  } while (!has_rows);
  return Status();
}

void JpegPlaneSource::NextOfOwn(Stripe* stripe) {
  for (size_t p = 0; p < layout_.plane_count; ++p) {
    Plane& plane = planes_[p];
    const uint32_t rows = std::min(own_->frame.components[p].v * plane.side,
                                   layout_.planes[p].height - plane.next_row);
    stripe->planes[p] = {plane.rows, plane.stride_bytes, plane.next_row, rows};
    plane.next_row += rows;
  }
}

Status JpegPlaneSource::Next(Stripe* stripe) {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  *stripe = Stripe();
  if (library_ == nullptr && !DecodeRow()) {
    own_.reset();
    // It begins anew, which is not to be seen in the progress.
    WorkContext quiet = context_;
    quiet.progress = nullptr;
    PIXPRESS_ASSIGN_OR_RETURN(library_, DecodeJpegByLibrary(encoded_, info_, options_, quiet));
  }
  if (library_ == nullptr) {
    NextOfOwn(stripe);
  } else {
    PIXPRESS_RETURN_IF_ERROR(NextOfLibrary(stripe));
  }
  if (context_.progress != nullptr) {
    context_.progress->Report(Stage::kDecode,
                              double{1} * planes_[0].next_row / layout_.planes[0].height);
  }
  return Status();
}

}  // namespace pixpress
