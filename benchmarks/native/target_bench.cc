// How many encodes do targets take, how long, and what do they lose against trying every quality?
//
//   target_bench [--effort N] [--format jpeg|webp|avif] [--only target|floor|limit|both]
//     [--no-sweep] FILE...
//
// Each file is compressed with target 60 to 90, with min_quality 60 to 90 from quality 80 and 30,
// with max_bytes of 0.9 to 0.15 times what quality 80 and 95 take, and with a target under such a
// limit. "encodes" are all that were made of the image, whatever for. "lost" is what the output has
// more than the smallest one that is good enough, or less than the largest one that fits, of the
// qualities 1 to 100. "x encode" is the processor time over that of one encode at the same quality,
// decoding and scores included. JPEG to JPEG goes through coefficients. A job that keeps the
// original does not count.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/plan.h"
#include "pipeline/probe.h"
#include "pipeline/run.h"

namespace pixpress {
namespace {

const Codec* counted = nullptr;
int encodes = 0;

Status CountedEncode(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                     const WorkContext& context, ByteChain* out) {
  ++encodes;
  return counted->encode(source, options, metadata, context, out);
}

Result<bool> CountedTranscode(Bytes encoded, const ImageInfo& info, const EncodeOptions& options,
                              const Limits& limits, const Metadata& metadata,
                              const WorkContext& context, ByteChain* out) {
  ++encodes;
  return counted->transcode(encoded, info, options, limits, metadata, context, out);
}

double ThreadSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Made {
  bool is_ok = false;
  int encodes = 0;
  double seconds = 0;
  double size_bytes = 0;
  double score = 0;
  int quality = 0;
};

Made Run(const std::vector<uint8_t>& file, const Settings& settings) {
  BufferPool pool(0);
  Meter meter(pool);
  SerialParallel parallel;
  const WorkContext context{.meter = meter, .stop = {}, .parallel = parallel};
  JobSpec spec;
  spec.settings = std::make_shared<const Settings>(settings);
  spec.source.kind = Source::Kind::kBytes;
  spec.source.bytes = file;
  const auto info = ProbeBytes(file, file.size(), settings.limits);
  if (!info.ok()) return {};
  auto plan = MakePlan(spec, info.value(), 0);
  if (!plan.ok()) return {};
  counted = plan.value().output_codec;
  Codec codec = *counted;
  codec.encode = CountedEncode;
  if (codec.transcode != nullptr) codec.transcode = CountedTranscode;
  if (plan.value().source_codec == counted) plan.value().source_codec = &codec;
  plan.value().output_codec = &codec;
  encodes = 0;
  JobResult result;
  const double start = ThreadSeconds();
  const Status status = RunPlan(spec, plan.value(), file, context, &result);
  const double seconds = ThreadSeconds() - start;
  if (!status.ok() || result.quality == 0) return {};
  return {true,
          encodes,
          seconds,
          static_cast<double>(result.compressed_bytes),
          static_cast<double>(result.score.value_or(0)),
          result.quality};
}

struct Totals {
  int jobs = 0;
  double encodes = 0, most = 0, ratio = 0, lost = 0, worst = 0;

  void Add(const Made& made, double part_lost, double encode_seconds) {
    ++jobs;
    encodes += made.encodes;
    most = std::max(most, static_cast<double>(made.encodes));
    ratio += made.seconds / encode_seconds;
    lost += part_lost;
    worst = std::max(worst, part_lost);
  }
};

class Bench {
 public:
  void RunFile(const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    file_.assign(std::istreambuf_iterator<char>(in), {});
    Sweep();
    if (!sweep_[79].is_ok) return;  // Not an image, or one that stays as it is.
    for (const float goal : {60.0f, 70.0f, 80.0f, 90.0f}) {
      Settings target = settings;
      target.target_score = goal;
      Goal("target", target, static_cast<double>(goal) - 0.25, 1);
      for (const int quality : {80, 30}) {
        Settings floor = settings;
        floor.quality = quality;
        floor.min_quality = static_cast<int>(goal);
        Goal("min_quality", floor, static_cast<double>(goal), quality);
      }
    }
    for (const float goal : {60.0f, 75.0f, 85.0f}) {
      for (const double part : {0.8, 0.5, 0.25}) Both(goal, part);
    }
    for (const int quality : {80, 95}) {
      for (const double part : {0.9, 0.7, 0.5, 0.3, 0.15}) Limit(quality, part);
    }
  }

  void Print() const {
    for (const auto& [name, total] : totals_) {
      const double n = total.jobs;
      std::printf(
          "%-12s %4d jobs  %.2f encodes, at most %.0f  %5.1f x encode  lost %.2f %%, at "
          "most %.1f %%\n",
          name.c_str(), total.jobs, total.encodes / n, total.most, total.ratio / n,
          100 * total.lost / n, 100 * total.worst);
    }
  }

  Settings settings;
  bool sweeps = true;
  std::string only;

 private:
  Settings At(int quality) const {
    Settings one = settings;
    one.quality = quality;
    return one;
  }

  void Sweep() {
    for (int quality = 1; quality <= 100; ++quality) {
      Made& made = sweep_[static_cast<size_t>(quality - 1)];
      made = Made();
      if (!sweeps && quality != 80 && quality != 95) continue;
      Settings one = At(quality);
      made = Run(file_, one);
      if (!sweeps || !made.is_ok || only == "limit") continue;
      one.min_quality = 1;  // For the score. Another quality means that there is none.
      const Made scored = Run(file_, one);
      made.score = scored.quality == quality ? scored.score : -1;
    }
  }

  void Note(const std::string& name, const Made& made, double part_lost) {
    totals_[name].Add(made, part_lost, Run(file_, At(made.quality)).seconds);
  }

  void Goal(const std::string& name, const Settings& goal, double needed, int lowest) {
    if (!only.empty() && only != (goal.target_score > 0 ? "target" : "floor")) return;
    const Made made = Run(file_, goal);
    if (!made.is_ok || made.score < needed) return;
    double least = made.size_bytes;
    for (size_t i = static_cast<size_t>(lowest - 1); i < sweep_.size(); ++i) {
      const bool is_good = sweep_[i].is_ok && sweep_[i].score >= needed;
      if (is_good) least = std::min(least, sweep_[i].size_bytes);
    }
    Note(name, made, made.size_bytes / least - 1);
  }

  // A target under a limit, whichever of both decides.
  void Both(float goal, double part) {
    if (!sweep_[79].is_ok || (!only.empty() && only != "both")) return;
    Settings both = settings;
    both.target_score = goal;
    both.max_bytes = static_cast<uint64_t>(sweep_[79].size_bytes * part);
    const Made made = Run(file_, both);
    if (!made.is_ok) return;
    const double limit = static_cast<double>(both.max_bytes);
    if (made.size_bytes > limit) std::abort();
    double best = made.size_bytes, least = made.size_bytes;
    for (const Made& other : sweep_) {
      if (!other.is_ok || other.size_bytes > limit) continue;
      best = std::max(best, other.size_bytes);
      if (other.score >= static_cast<double>(goal) - 0.25) {
        least = std::min(least, other.size_bytes);
      }
    }
    const bool is_reached = made.score >= static_cast<double>(goal) - 0.25;
    Note("both", made, is_reached ? made.size_bytes / least - 1 : 1 - made.size_bytes / best);
  }

  void Limit(int quality, double part) {
    const Made& whole = sweep_[static_cast<size_t>(quality - 1)];
    if (!whole.is_ok || (!only.empty() && only != "limit")) return;
    Settings limited = At(quality);
    limited.max_bytes = static_cast<uint64_t>(whole.size_bytes * part);
    const Made made = Run(file_, limited);
    if (!made.is_ok) return;
    const double limit = static_cast<double>(limited.max_bytes);
    if (made.size_bytes > limit) std::abort();
    double most = made.size_bytes;
    for (size_t i = 0; i < static_cast<size_t>(quality); ++i) {
      if (sweep_[i].is_ok && sweep_[i].size_bytes <= limit) {
        most = std::max(most, sweep_[i].size_bytes);
      }
    }
    Note("max_bytes", made, 1 - made.size_bytes / most);
  }

  std::vector<uint8_t> file_;
  std::array<Made, 100> sweep_;
  std::map<std::string, Totals> totals_;
};

int Main(int argc, char** argv) {
  Bench bench;
  bench.settings.format = Format::kJpeg;
  for (int i = 1; i < argc; ++i) {
    const auto is = [&](const char* option) { return std::strcmp(argv[i], option) == 0; };
    if (is("--no-sweep")) {
      bench.sweeps = false;
    } else if (is("--effort") && i + 1 < argc) {
      bench.settings.effort = std::atoi(argv[++i]);
    } else if (is("--only") && i + 1 < argc) {
      bench.only = argv[++i];
    } else if (is("--format") && i + 1 < argc) {
      bench.settings.format = FindCodecByName(argv[++i])->format;
    } else {
      bench.RunFile(argv[i]);
    }
  }
  bench.Print();
  return 0;
}

}  // namespace
}  // namespace pixpress

int main(int argc, char** argv) { return pixpress::Main(argc, argv); }
