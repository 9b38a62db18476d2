#include "pipeline/timed_source.h"

#include <utility>

#include "base/clock.h"

namespace pixpress {
namespace {

class TimedSource final : public RowSource {
 public:
  TimedSource(std::unique_ptr<RowSource> source, Stage stage, ProgressSink* progress,
              int64_t* total_ns)
      : source_(std::move(source)), stage_(stage), progress_(progress), total_ns_(total_ns) {}

  const ImageLayout& layout() const override { return source_->layout(); }

  Status Next(Stripe* stripe) override {
    const Clock& clock = Clock::System();
    const int64_t start_ns = clock.NowNs();
    Status status = source_->Next(stripe);
    *total_ns_ += clock.NowNs() - start_ns;
    if (!status.ok()) return std::move(status).At(stage_);
    const PlaneRows& rows = stripe->planes[0];
    if (progress_ != nullptr && rows.rows > 0) {
      progress_->Report(
          stage_, static_cast<double>(rows.first_row + rows.rows) / layout().planes[0].height);
    }
    return status;
  }

 private:
  std::unique_ptr<RowSource> source_;
  const Stage stage_;
  ProgressSink* const progress_;
  int64_t* const total_ns_;
};

}  // namespace

std::unique_ptr<RowSource> MakeTimedSource(std::unique_ptr<RowSource> source, Stage stage,
                                           ProgressSink* progress, int64_t* total_ns) {
  return std::make_unique<TimedSource>(std::move(source), stage, progress, total_ns);
}

}  // namespace pixpress
