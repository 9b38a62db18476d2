#include "codecs/jpeg_progressive.h"

#include <algorithm>
#include <cstring>

#include "base/checked_math.h"
#include "codecs/jpeg_markers.h"
#include "codecs/jpeg_metadata.h"

namespace pixpress {
namespace {

jpeg_scan_info Scan(int component, int first, int last, int high, int low) {
  jpeg_scan_info scan = {};
  scan.comps_in_scan = 1;
  scan.component_index[0] = component;
  scan.Ss = first;
  scan.Se = last;
  scan.Ah = high;
  scan.Al = low;
  return scan;
}

// Per block, those of DC and the end included.
constexpr uint64_t kSparseTokens = 6;
constexpr uint64_t kDenseTokens = 13;

uint64_t FrameBlocks(const JpegFrame& frame) {
  return uint64_t{frame.mcu_columns} * frame.mcu_blocks();
}

}  // namespace

JpegProgressiveWriter::JpegProgressiveWriter(const JpegFrame& frame, const Metadata& metadata,
                                             const WorkContext& context, ByteChain* out)
    : frame_(frame),
      metadata_(metadata),
      context_(context),
      out_(out),
      library_bytes_(MemoryBytes(FrameBlocks(frame), frame.mcu_rows)) {
  context_.meter.Charge(library_bytes_);
}

JpegProgressiveWriter::~JpegProgressiveWriter() {
  jpeg_destroy_compress(&info_);
  context_.meter.Return(library_bytes_);
}

uint64_t JpegProgressiveWriter::MemoryBytes(uint64_t row_blocks, uint64_t mcu_rows) {
  // Statistics, tables and buffers of the library; the bits of blocks that wait for their run.
  constexpr uint64_t kLibraryBytes = 512 << 10;
  const uint64_t block_bytes = 64 * sizeof(int16_t);
  return SaturatingAdd(SaturatingMul(row_blocks * block_bytes, mcu_rows), kLibraryBytes);
}

// The library calls this per row of a scan; a stop leaves like an error.
void JpegProgressiveWriter::PollStop(j_common_ptr info) {
  const auto* self = static_cast<const JpegProgressiveWriter*>(info->client_data);
  if (self->context_.stop.stop_requested()) info->err->error_exit(info);
}

Status JpegProgressiveWriter::Failure() const {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  return errors_.Failure(StatusCode::kInternal).At(Stage::kEncode);
}

void JpegProgressiveWriter::SetParameters() {
  info_.image_width = frame_.width;
  info_.image_height = frame_.height;
  info_.input_components = frame_.component_count;
  info_.in_color_space = frame_.component_count == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
  jpeg_set_defaults(&info_);
  info_.write_JFIF_header = FALSE;  // Ours has the density.
  for (int c = 0; c < frame_.component_count; ++c) {
    const JpegFrameComponent& own = frame_.components[c];
    jpeg_component_info& to = info_.comp_info[c];
    to.h_samp_factor = own.h;
    to.v_samp_factor = own.v;
    to.quant_tbl_no = c;
    for (int other = c; other-- > 0;) {
      if (frame_.quant[frame_.components[other].quant] == frame_.quant[own.quant]) {
        to.quant_tbl_no = info_.comp_info[other].quant_tbl_no;
      }
    }
    unsigned steps[64];
    for (size_t k = 0; k < 64; ++k) steps[kJpegNaturalOrder[k]] = frame_.quant[own.quant][k];
    if (to.quant_tbl_no == c) jpeg_add_quant_table(&info_, c, steps, 100, FALSE);
  }
  info_.scan_info = scans_.data();
  info_.num_scans = static_cast<int>(scans_.size());
}

// The more there is in a block, the more is won by coding it bit by bit, and the less do the scans
// themselves weigh.
void JpegProgressiveWriter::ChooseScans() {
  const uint64_t blocks = FrameBlocks(frame_) * frame_.mcu_rows;
  const bool is_dense = token_count_ >= blocks * kDenseTokens;
  const bool is_sparse = token_count_ < blocks * kSparseTokens;
  const int count = frame_.component_count;
  const int dc_low = is_dense ? 1 : 0;
  jpeg_scan_info dc = Scan(0, 0, 0, 0, dc_low);
  dc.comps_in_scan = count;
  for (int c = 0; c < count; ++c) dc.component_index[c] = c;
  scans_ = {dc};
  if (is_dense) {
    scans_.insert(scans_.end(), {Scan(0, 1, 5, 0, 2), Scan(0, 6, 63, 0, 2), Scan(0, 1, 63, 2, 1)});
  } else if (is_sparse) {
    scans_.insert(scans_.end(), {Scan(0, 1, 2, 0, 0), Scan(0, 3, 63, 0, 0)});
  } else {
    scans_.insert(scans_.end(), {Scan(0, 1, 8, 0, 1), Scan(0, 9, 63, 0, 1), Scan(0, 1, 63, 1, 0)});
  }
  for (int c = 1; c < count; ++c) scans_.push_back(Scan(c, 1, 63, 0, dc_low));
  if (!is_dense) return;
  dc.Ah = 1;
  dc.Al = 0;
  scans_.push_back(dc);
  for (int c = 0; c < count; ++c) scans_.push_back(Scan(c, 1, 63, 1, 0));
}

Status JpegProgressiveWriter::Start() {
  info_.err = errors_.Install();
  hook_.progress_monitor = PollStop;
  const auto begin = [&] {
    jpeg_create_compress(&info_);
    info_.client_data = this;
    info_.mem->max_memory_to_use = static_cast<long>(library_bytes_ * 2 + (64 << 20));
    info_.dest = output_.Install(out_);
    info_.progress = &hook_;
    const auto common = reinterpret_cast<j_common_ptr>(&info_);
    for (int c = 0; c < frame_.component_count; ++c) {
      const JpegFrameComponent& own = frame_.components[c];
      arrays_[c] = info_.mem->request_virt_barray(
          common, JPOOL_IMAGE, FALSE, frame_.block_columns(c), frame_.mcu_rows * own.v, own.v);
    }
    info_.mem->realize_virt_arrays(common);
  };
  return RunFenced(errors_, begin) ? Status() : Failure();
}

const JpegToken* JpegProgressiveWriter::PutBlock(const JpegToken* next, int32_t* dc,
                                                 int16_t* block) const {
  const auto value = [](JpegToken token) {
    const int32_t signed_value = static_cast<int32_t>(uint32_t{token} << 20) >> 20;
    return signed_value + (signed_value < 0 ? 1 : 0);
  };
  std::memset(block, 0, 64 * sizeof *block);
  *dc += value(*next++);
  block[0] = static_cast<int16_t>(*dc);
  uint32_t k = 0;
  for (; !IsJpegEnd(*next); ++next) {
    k += (*next >> 12) + 1;
    if (*next == kJpegZeroRun) continue;
    block[kJpegNaturalOrder[k & 63]] = static_cast<int16_t>(value(*next));
  }
  return next + 1;
}

Status JpegProgressiveWriter::PutRow(uint32_t mcu_row, std::span<const JpegToken> tokens) {
  std::array<JBLOCKARRAY, 3> rows = {};
  const bool ok = RunFenced(errors_, [&] {
    for (size_t c = 0; c < frame_.component_count; ++c) {
      const JDIMENSION count = frame_.components[c].v;
      rows[c] = info_.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&info_), arrays_[c],
                                              mcu_row * count, count, TRUE);
    }
  });
  if (!ok) return Failure();
  token_count_ += tokens.size();
  const JpegToken* next = tokens.data();
  for (uint32_t column = 0; column < frame_.mcu_columns; ++column) {
    for (size_t c = 0; c < frame_.component_count; ++c) {
      const JpegFrameComponent& own = frame_.components[c];
      for (size_t y = 0; y < own.v; ++y) {
        for (size_t x = 0; x < own.h; ++x) {
          next = PutBlock(next, &last_dc_[c], rows[c][y][column * own.h + x]);
        }
      }
    }
  }
  return Status();
}

Status JpegProgressiveWriter::Finish() {
  const std::vector<JpegMetadataSegment> segments = MakeJpegSegments(metadata_);
  const std::array<uint8_t, 14> jfif = MakeJfifPayload(metadata_.density);
  ChooseScans();
  const auto write = [&] {
    SetParameters();
    jpeg_write_coefficients(&info_, arrays_.data());
    jpeg_write_marker(&info_, kJpegApp0, jfif.data(), jfif.size());
    for (size_t i = 0; i < segments.size(); ++i) {
      jpeg_write_marker(&info_, segments[i].marker, segments[i].payload.data(),
                        static_cast<unsigned>(segments[i].payload.size()));
    }
    jpeg_finish_compress(&info_);
  };
  return RunFenced(errors_, write) ? Status() : Failure();
}

}  // namespace pixpress
