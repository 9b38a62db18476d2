#include <algorithm>
#include <array>

#include "engine/config.h"

namespace pixpress {
namespace {

struct Option {
  std::string_view name;
  void (*set)(EngineOptions& options, double value);
};

template <auto member>
constexpr void Set(EngineOptions& options, double value) {
  using Field = std::remove_reference_t<decltype(options.*member)>;
  options.*member = static_cast<Field>(value);
}

constexpr std::array kOptions = {
    Option{"max_workers", Set<&EngineOptions::max_workers>},
    Option{"min_workers", Set<&EngineOptions::min_workers>},
    Option{"memory_limit", Set<&EngineOptions::memory_limit_bytes>},
    Option{"worker_memory_limit", Set<&EngineOptions::worker_memory_limit_bytes>},
    Option{"task_timeout", Set<&EngineOptions::task_timeout_ns>},
    Option{"queue_timeout", Set<&EngineOptions::queue_timeout_ns>},
    Option{"idle_timeout", Set<&EngineOptions::idle_timeout_ns>},
    Option{"stuck_grace", Set<&EngineOptions::stuck_grace_ns>},
    Option{"shutdown_grace", Set<&EngineOptions::shutdown_grace_ns>},
    Option{"cpu_threshold", Set<&EngineOptions::cpu_threshold_percent>},
    Option{"adaptive_concurrency", Set<&EngineOptions::adaptive_concurrency>},
    Option{"max_retries", Set<&EngineOptions::max_retries>},
    Option{"retry_delay", Set<&EngineOptions::retry_delay_ns>},
    Option{"backoff_multiplier", Set<&EngineOptions::backoff_multiplier>},
    Option{"gc_threshold", Set<&EngineOptions::gc_threshold_percent>},
    Option{"max_queue", Set<&EngineOptions::max_queue>},
    Option{"max_queue_bytes", Set<&EngineOptions::max_queue_bytes>},
    Option{"worker_nice", Set<&EngineOptions::worker_nice>},
    Option{"durable", Set<&EngineOptions::durable>},
    Option{"isolation", Set<&EngineOptions::isolate_jobs>},
    Option{"cache_size", Set<&EngineOptions::cache_bytes>},
    Option{"cache_entries", Set<&EngineOptions::cache_entries>},
};

}  // namespace

bool SetOption(std::string_view name, double value, EngineOptions* options) {
  const auto found = std::ranges::find(kOptions, name, &Option::name);
  if (found == kOptions.end()) return false;
  found->set(*options, value);
  return true;
}

EngineOptions WithDefaults(EngineOptions options) {
  constexpr uint64_t kDefaultLimitBytes = uint64_t{4} << 30;
  constexpr uint64_t kBytesPerWorker = 50u << 20;
  if (options.memory_limit_bytes == 0) {
    options.memory_limit_bytes = static_cast<size_t>(
        std::min<double>(kDefaultLimitBytes, 0.6 * static_cast<double>(AllowedMemoryBytes())));
  }
  if (options.max_workers == 0) {
    const uint64_t by_memory = std::max<uint64_t>(1, AllowedMemoryBytes() / kBytesPerWorker);
    options.max_workers = static_cast<uint32_t>(std::min<uint64_t>(AllowedCpus(), by_memory));
  }
  options.min_workers = std::clamp<uint32_t>(options.min_workers, 1, options.max_workers);
  return options;
}

}  // namespace pixpress
