#include "codecs/jpeg/row_queue.h"

#include <algorithm>
#include <cstring>

#include "base/checked_math.h"

namespace pixpress {
uint32_t JpegRowQueue::Plane::wanted_rows() const {
  return std::min(mcu_rows, height - dropped_rows);
}

Status JpegRowQueue::Start(const ImageLayout& layout, uint32_t interleaved_rows, Meter& meter) {
  meter_ = &meter;
  const bool is_planar = layout.color == ColorModel::kYCbCr;
  mcu_rows_ = is_planar ? 8u * layout.max_v_samples() : interleaved_rows;
  plane_count_ = layout.plane_count;
  for (size_t p = 0; p < plane_count_; ++p) {
    Plane& plane = planes_[p];
    plane.height = layout.planes[p].height;
    plane.row_bytes = layout.row_bytes(p);
    // Room for the padding to whole MCUs, of which a side has at most 32 samples.
    plane.stride = RoundUpTo<size_t>(plane.row_bytes + 32, 64);
    plane.mcu_rows = is_planar ? 8u * layout.planes[p].v_samples : interleaved_rows;
    plane.capacity_rows = plane.mcu_rows * 2;
    PIXPRESS_ASSIGN_OR_RETURN(plane.buffer, meter.Allocate(plane.stride * plane.capacity_rows));
    arrays_[p] = plane.rows.data();
  }
  return Status();
}

Status JpegRowQueue::Append(Plane& plane, const PlaneRows& rows) {
  if (rows.first_row != plane.received_rows || rows.rows > plane.height - plane.received_rows) {
    return Status(StatusCode::kInternal, "JPEG: rows came out of order");
  }
  const uint32_t needed = plane.held_rows + std::max(rows.rows, plane.mcu_rows);
  if (needed > plane.capacity_rows) {
    PIXPRESS_ASSIGN_OR_RETURN(Buffer larger, meter_->Allocate(plane.stride * needed));
    std::memcpy(larger.data(), plane.buffer.data(), plane.stride * plane.held_rows);
    plane.buffer = std::move(larger);
    plane.capacity_rows = needed;
  }
  for (uint32_t y = 0; y < rows.rows; ++y) {
    uint8_t* to = plane.buffer.data() + plane.stride * (plane.held_rows + y);
    std::memcpy(to, rows.row(y), plane.row_bytes);
    std::memset(to + plane.row_bytes, to[plane.row_bytes - 1], plane.stride - plane.row_bytes);
  }
  plane.held_rows += rows.rows;
  plane.received_rows += rows.rows;
  return Status();
}

void JpegRowQueue::PointAndPad(Plane& plane) {
  // Below the last row it repeats; a plane may even be done while another has rows left.
  for (uint32_t y = 0; y < plane.mcu_rows; ++y) {
    const uint32_t last = plane.wanted_rows() == 0 ? 0 : plane.wanted_rows() - 1;
    plane.rows[y] = plane.buffer.data() + plane.stride * std::min(y, last);
  }
}

Status JpegRowQueue::Fill(RowSource& source) {
  const auto is_filled = [&] {
    return std::all_of(planes_.begin(), planes_.begin() + plane_count_,
                       [](const Plane& p) { return p.held_rows >= p.wanted_rows(); });
  };
  while (!is_filled()) {
    Stripe stripe;
    PIXPRESS_RETURN_IF_ERROR(source.Next(&stripe));
    for (size_t p = 0; p < plane_count_; ++p) {
      if (stripe.planes[p].rows == 0) continue;
      PIXPRESS_RETURN_IF_ERROR(Append(planes_[p], stripe.planes[p]));
    }
  }
  for (size_t p = 0; p < plane_count_; ++p) PointAndPad(planes_[p]);
  return Status();
}

void JpegRowQueue::Drop() {
  for (size_t p = 0; p < plane_count_; ++p) {
    Plane& plane = planes_[p];
    const uint32_t used = plane.wanted_rows();
    plane.held_rows -= used;
    plane.dropped_rows += used;
    std::memmove(plane.buffer.data(), plane.buffer.data() + plane.stride * used,
                 plane.stride * plane.held_rows);
  }
}

}  // namespace pixpress
