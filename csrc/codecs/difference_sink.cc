#include "codecs/difference_sink.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.h"

namespace pixpress {
namespace {

// Changed pixels cost; pixels that are only passed over cost little.
constexpr uint64_t kChangedCost = 4;
uint64_t CostOf(const CanvasDifference& difference) {
  return difference.changed * kChangedCost +
         uint64_t{difference.place.width} * difference.place.height / 4;
}

}  // namespace

uint64_t DifferenceSink::CanvasMemoryBytes(uint32_t width, uint32_t height) {
  const uint64_t canvases = SaturatingMul(SaturatingMul(width, height), 3 * 4);
  // Buffers are rounded up by a quarter, or a sixteenth from 64 KiB on.
  constexpr uint64_t kSmallRounding = 3 * (16u << 10);
  return SaturatingAdd(canvases, canvases / 16 + kSmallRounding);
}

Status DifferenceSink::Init() {
  const size_t bytes = size_t{animation_.width} * animation_.height * sizeof(uint32_t);
  for (Buffer* canvas : {&before_, &shown_, &next_}) {
    PIXPRESS_ASSIGN_OR_RETURN(*canvas, context_.meter.Allocate(bytes));
  }
  std::memset(before_.data(), 0, bytes);
  return Status();
}

Status DifferenceSink::Add(const Image& canvas, const FrameDuration& duration) {
  PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
  const FrameDuration stored = StoredDuration(duration);
  Take(canvas);
  if (has_shown_) {
    if (std::memcmp(next_.data(), shown_.data(), next_.size()) == 0 && Extend(&duration_, stored)) {
      return Status();
    }
    PIXPRESS_RETURN_IF_ERROR(WriteShown());
  } else {
    drawn_ = animation_.whole();
  }
  std::swap(shown_, next_);
  duration_ = stored;
  has_shown_ = true;
  return Status();
}

Status DifferenceSink::Finish() {
  if (!has_shown_) return Status(StatusCode::kInternal, "an animation has no frames");
  PIXPRESS_RETURN_IF_ERROR(Write(CanvasDisposal::kKeep));
  return WriteEnd();
}

CanvasPixels DifferenceSink::Pixels(const Buffer& canvas) const {
  return {reinterpret_cast<const uint32_t*>(canvas.data()), animation_.width, animation_.height};
}

CanvasPlace DifferenceSink::OnGrid(CanvasPlace place) const {
  // A frame that changes nothing still takes its time.
  if (place.width == 0) return {0, 0, 1, 1};
  const uint32_t left = place.x % abilities_.grid_px;
  const uint32_t above = place.y % abilities_.grid_px;
  return {place.x - left, place.y - above, place.width + left, place.height + above};
}

void DifferenceSink::Take(const Image& canvas) {
  uint32_t* out = next_.as<uint32_t>();
  for (uint32_t y = 0; y < animation_.height; ++y, out += animation_.width) {
    std::memcpy(out, canvas.row(0, y), size_t{animation_.width} * 4);
    for (uint32_t x = 0; x < animation_.width; ++x) out[x] = out[x] >> 24 == 0 ? 0 : out[x];
  }
}

DifferenceSink::Disposed DifferenceSink::ChooseDisposal() const {
  Disposed best{CanvasDisposal::kKeep,
                CompareCanvases(Pixels(shown_), Pixels(next_), animation_.whole())};
  const auto consider = [&](CanvasDisposal disposal, const CanvasDifference& next) {
    if (CostOf(next) < CostOf(best.next)) best = {disposal, next};
  };
  // Nothing is gained by drawing again what stands still.
  if (best.next.uncovered > 0) {
    consider(CanvasDisposal::kClear,
             CompareCanvases(Pixels(shown_), Pixels(next_), animation_.whole(), drawn_,
                             CostOf(best.next) / kChangedCost));
  }
  // Before the first frame there is nothing to restore.
  if (abilities_.can_restore && !is_first_) {
    consider(CanvasDisposal::kRestore,
             CompareCanvases(Pixels(before_), Pixels(next_), animation_.whole(), {},
                             CostOf(best.next) / kChangedCost));
  }
  return best;
}

Status DifferenceSink::WriteShown() {
  const Disposed disposed = ChooseDisposal();
  PIXPRESS_RETURN_IF_ERROR(Write(disposed.disposal));
  const CanvasPlace cleared = drawn_;
  drawn_ = OnGrid(disposed.next.place);
  if (disposed.disposal == CanvasDisposal::kRestore) return Status();
  std::swap(before_, shown_);
  if (disposed.disposal == CanvasDisposal::kClear) Clear(cleared);
  return Status();
}

Status DifferenceSink::Write(CanvasDisposal disposal) {
  const CanvasFrame frame{Pixels(before_), Pixels(shown_), drawn_, disposal, duration_, is_first_};
  is_first_ = false;
  return WriteFrame(frame);
}

void DifferenceSink::Clear(const CanvasPlace& place) {
  for (uint32_t y = place.y; y < place.y + place.height; ++y) {
    std::fill_n(before_.as<uint32_t>() + size_t{y} * animation_.width + place.x, place.width, 0u);
  }
}

}  // namespace pixpress
