#pragma once
// The steps of a plan as they are decided on, one after the other.

#include <utility>
#include <vector>

#include "pipeline/plan.h"

namespace pixpress {

class StepList {
 public:
  explicit StepList(ImageLayout decoded) : now_(std::move(decoded)) {}

  void Add(StepKind kind, ImageLayout out) {
    now_ = out;
    steps_.push_back({kind, std::move(out)});
  }
  // To the color model, alpha and depth of `target`; nothing if it is that already.
  void ConvertTo(const ImageLayout& target) {
    if (now_.color == target.color && now_.has_alpha == target.has_alpha &&
        now_.bits == target.bits) {
      return;
    }
    Add(StepKind::kConvert, ImageLayout::Interleaved(now_.width, now_.height, target.color,
                                                     target.has_alpha, target.bits));
  }
  // What the last step yields.
  const ImageLayout& now() const { return now_; }
  std::vector<PlannedStep> Take() { return std::move(steps_); }

 private:
  ImageLayout now_;
  std::vector<PlannedStep> steps_;
};

}  // namespace pixpress
