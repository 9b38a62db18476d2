// What the engine tells about itself, as numbers with names.

#include <string>

#include "engine/engine_impl.h"

namespace pixpress {
namespace {

constexpr double kSecondsPerNs = 1e-9;

// Collects names below a prefix.
class Numbers {
 public:
  explicit Numbers(NamedNumbers* out) : out_(out) {}
  template <typename T>
  void Add(const std::string& name, T value) {
    out_->emplace_back(name, static_cast<double>(value));
  }
  void AddSeconds(const std::string& name, int64_t value_ns) {
    Add(name, static_cast<double>(value_ns) * kSecondsPerNs);
  }
  void AddLatency(const std::string& name, const Histogram& histogram) {
    if (histogram.count() == 0) return;
    Add(name + ".count", histogram.count());
    AddSeconds(name + ".sum", histogram.sum_ns());
    AddSeconds(name + ".p50", histogram.PercentileNs(0.50));
    AddSeconds(name + ".p90", histogram.PercentileNs(0.90));
    AddSeconds(name + ".p95", histogram.PercentileNs(0.95));
    AddSeconds(name + ".p99", histogram.PercentileNs(0.99));
  }

 private:
  NamedNumbers* out_;
};

void AddWorker(const WorkerInfo& worker, const MetricsSnapshot& metrics, int64_t now_ns,
               Numbers* out) {
  const std::string prefix = "worker." + std::to_string(worker.id) + ".";
  const WorkerMetrics counts =
      worker.id < metrics.workers.size() ? metrics.workers[worker.id] : WorkerMetrics();
  out->Add(prefix + "processed", counts.processed);
  out->Add(prefix + "failed", counts.failed);
  out->AddSeconds(prefix + "busy", counts.busy_ns);
  out->Add(prefix + "peak_memory", counts.last_peak_memory_bytes);
  out->Add(prefix + "task", worker.task);
  out->Add(prefix + "stuck", worker.is_stuck);
  out->AddSeconds(prefix + "cpu", worker.cpu_ns);
  out->AddSeconds(prefix + "uptime", now_ns - worker.started_ns);
}

void AddCache(const JobCache* cache, Numbers* out) {
  if (cache == nullptr) return;
  const JobCacheStats stats = cache->Stats();
  out->Add("cache.hits", stats.hits);
  out->Add("cache.misses", stats.misses);
  out->Add("cache.stores", stats.store.stored);
  out->Add("cache.evictions", stats.store.evicted);
  out->Add("cache.bad_entries", stats.store.bad_entries);
  out->Add("cache.failures", stats.store.failures);
  out->Add("cache.entries", stats.used.entries);
  out->Add("cache.bytes", stats.used.bytes);
  out->Add("cache.errno", stats.last_errno);
}

}  // namespace

NamedNumbers EngineImpl::Describe(const Job& job) {
  NamedNumbers numbers;
  Numbers out(&numbers);
  const std::lock_guard lock(mutex_);
  out.AddSeconds("now", clock_.NowNs());
  out.Add("state", static_cast<int>(job.state.load()));
  out.Add("retrying", job.retry_due_ns != 0);
  out.Add("priority", static_cast<int>(job.key.priority));
  out.Add("retries", job.retries);
  out.Add("max_retries", options_.max_retries);
  out.Add("attempts", job.attempts);
  out.Add("worker_id", job.worker_id);
  out.Add("input_bytes", job.input_bytes);
  out.AddSeconds("submitted", job.submit_time_ns);
  out.AddSeconds("started", job.start_time_ns);
  out.AddSeconds("ended", job.end_time_ns);
  return numbers;
}

EngineStats EngineImpl::Stats() const {
  EngineStats stats;
  stats.workers = workers_.workers();
  stats.busy_workers = workers_.busy_workers();
  stats.stuck_workers = workers_.stuck_workers();
  stats.dropped_events = events_.dropped();
  stats.memory_limit_bytes = budget_.limit_bytes();
  stats.reserved_bytes = budget_.used_bytes();
  stats.live_bytes = buffers_->live_bytes();
  stats.retained_bytes = buffers_->retained_bytes();
  if (journal_ != nullptr) stats.journal_errno = journal_->last_errno();
  const std::lock_guard lock(mutex_);
  stats.queued = room_.jobs();
  stats.retrying = retries_.size();
  stats.running = jobs_.size() - room_.jobs() - retries_.size();
  stats.submitted = submitted_;
  stats.succeeded = succeeded_;
  stats.failed = failed_;
  stats.cancelled = cancelled_;
  return stats;
}

NamedNumbers Engine::Counts() const {
  const EngineStats stats = Stats();
  NamedNumbers numbers;
  Numbers out(&numbers);
  out.Add("workers", stats.workers);
  out.Add("busy_workers", stats.busy_workers);
  out.Add("stuck_workers", stats.stuck_workers);
  out.Add("queued", stats.queued);
  out.Add("running", stats.running);
  out.Add("retrying", stats.retrying);
  out.Add("submitted", stats.submitted);
  out.Add("succeeded", stats.succeeded);
  out.Add("failed", stats.failed);
  out.Add("cancelled", stats.cancelled);
  out.Add("dropped_events", stats.dropped_events);
  out.Add("journal_errno", stats.journal_errno);
  out.Add("memory_limit", stats.memory_limit_bytes);
  out.Add("reserved_memory", stats.reserved_bytes);
  out.Add("live_memory", stats.live_bytes);
  out.Add("retained_memory", stats.retained_bytes);
  return numbers;
}

NamedNumbers EngineImpl::Metrics() {
  const int64_t now_ns = clock_.NowNs();
  const MetricsSnapshot metrics = metrics_.Snapshot(now_ns);
  NamedNumbers numbers;
  Numbers out(&numbers);
  out.Add("retried", metrics.retried);
  out.Add("original_bytes", metrics.original_bytes);
  out.Add("compressed_bytes", metrics.compressed_bytes);
  out.Add("mean_savings", metrics.mean_savings);
  out.Add("throughput", metrics.throughput_per_s);
  out.AddSeconds("health_check_age", now_ns - health_checked_ns_.load());
  out.AddLatency("latency.run", metrics.run);
  out.AddLatency("latency.queue", metrics.queued);
  for (size_t stage = 0; stage < kMeasuredStages; ++stage) {
    out.AddLatency("latency." + std::string(StageName(static_cast<Stage>(stage))),
                   metrics.stages[stage]);
  }
  for (const WorkerInfo& worker : workers_.Workers()) AddWorker(worker, metrics, now_ns, &out);
  AddCache(cache_, &out);
  return numbers;
}

NamedNumbers EngineImpl::Health() {
  const SystemSample sample =
      monitor_.Sample(clock_.NowNs(), AllowedMemoryBytes(), FreeMemoryBytes());
  NamedNumbers numbers;
  Numbers out(&numbers);
  out.Add("cpu_percent", sample.cpu_percent);
  out.Add("own_cpu_percent", sample.own_cpu_percent);
  out.Add("load_1", sample.load_1);
  out.Add("load_5", sample.load_5);
  out.Add("load_15", sample.load_15);
  out.Add("cores", sample.cores);
  out.Add("memory_total", sample.memory_total_bytes);
  out.Add("memory_available", sample.memory_available_bytes);
  out.Add("disk_read_rate", sample.disk_read_bytes_per_s);
  out.Add("disk_write_rate", sample.disk_write_bytes_per_s);
  out.Add("disk_queue", sample.disk_queue);
  const RunnerCounts runners = runners_.Counts();
  out.Add("worker_processes", runners.processes);
  out.Add("unfiltered_processes", runners.unfiltered);
  out.Add("process_starts", runners.starts);
  out.Add("filter_errno", runners.last_filter_errno);
  {
    const std::lock_guard lock(mutex_);
    out.Add("concurrency", concurrency_.limit);
  }
  AddCache(cache_, &out);
  return numbers;
}

}  // namespace pixpress
