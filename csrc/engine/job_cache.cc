#include "engine/job_cache.h"

#include <algorithm>
#include <cerrno>
#include <type_traits>

#include "base/record.h"
#include "base/stop_token.h"

namespace pixpress {
namespace {

void Visit(RecordWriter& record, const std::optional<Sha256Digest>& digest) {
  record.Field(digest.has_value());
  if (digest.has_value()) record.Field(std::string(digest->bytes.begin(), digest->bytes.end()));
}

void Visit(RecordReader& record, std::optional<Sha256Digest>& digest) {
  bool is_there = false;
  record.Field(is_there);
  if (!is_there) return;
  std::string bytes;
  record.Field(bytes);
  if (bytes.size() != digest.emplace().bytes.size()) return record.Fail();
  std::copy(bytes.begin(), bytes.end(), digest->bytes.begin());
}

// What an entry says besides the output itself; `content` is CacheKey's, to be compared with the
// source. The bindings name all fields: one more does not compile until it is here as well.
template <typename Record, typename Result, typename Content>
void Visit(Record& record, Result& result, Content& content) {
  auto& [data, format, width, height, original_bytes, compressed_bytes, estimated_memory_bytes,
         peak_memory_bytes, skipped_reason, quality, score, is_salvaged, warnings, stage_ns] =
      result;
  record.Enum(format, Format::kAvif);
  record.Field(width);
  record.Field(height);
  record.Field(original_bytes);
  record.Field(compressed_bytes);
  record.Enum(skipped_reason, SkippedReason::kNotSmaller);
  record.Field(quality);
  record.Field(score);
  record.List(warnings, [](Record& to, auto& text) { to.Field(text); });
  Visit(record, content);
}

// Whether the source is what an answer was made from.
bool IsOfSource(const std::optional<Sha256Digest>& content, const Job& job) {
  if (!content.has_value()) return true;
  const auto& known = job.cache_key->content;
  return content ==
         (known.has_value() ? known : DigestOfFile(job.spec.source.name, StopToken(job.stop)));
}

}  // namespace

Result<std::unique_ptr<JobCache>> JobCache::Open(const std::string& folder,
                                                 const CacheLimits& limits) {
  std::string maker = MakerRecord();
  if (maker.empty()) {
    return Status(StatusCode::kOption, "this build cannot cache results: it has no build id");
  }
  Status problem;
  auto results = ResultCache::Open(folder, limits, &problem);
  if (!results.ok()) {
    return Status(StatusCode::kOption,
                  "Expected a folder for cache, got " + results.status().message(),
                  results.status().sys_errno());
  }
  return std::unique_ptr<JobCache>(
      new JobCache(std::move(results).value(), std::move(maker), std::move(problem)));
}

bool JobCache::FindKey(Job& job) const {
  job.cache_key = MakeCacheKey(job.spec, maker_, StopToken(job.stop), &job.content);
  return job.cache_key.has_value();
}

std::optional<uint64_t> JobCache::AnswerBytes(const Job& job) const {
  const auto entry_bytes = results_->EntryBytes(job.cache_key->digest);
  if (!entry_bytes.has_value()) return std::nullopt;
  // The chain that it is read into has no smaller piece than one of an empty chain.
  return BufferPool::CapacityFor(std::max<uint64_t>(*entry_bytes, 64u << 10));
}

bool JobCache::Answer(Job& job) {
  ByteChain data(job.meter);
  const auto found = results_->Find(job.cache_key->digest, &data);
  if (!found.has_value()) return false;
  JobResult result;
  std::optional<Sha256Digest> content;
  RecordReader record(*found);
  Visit(record, result, content);
  const bool is_whole =
      record.ok() && record.is_at_end() && result.compressed_bytes == data.size_bytes();
  if (!is_whole || !IsOfSource(content, job)) {
    results_->Remove(job.cache_key->digest);
    return false;
  }
  job.result = std::move(result);
  job.result.data = std::move(data);
  ++hits_;
  return true;
}

bool JobCache::Keep(Job& job) {
  if (job.result.is_salvaged) return false;
  if (job.spec.source.kind == Source::Kind::kFile) {
    // Not what was there when the key was made, or was written over since: then nobody can ask.
    const auto now = MakeCacheKey(job.spec, maker_, StopToken(), &job.content);
    if (!now.has_value() || now->digest != job.cache_key->digest) return false;
  }
  RecordWriter record;
  Visit(record, std::as_const(job.result), std::as_const(job.cache_key->content));
  const Status status =
      results_->Store(job.cache_key->digest, record.Take(), job.result.data->chunks());
  NoteOutcome(status);
  return status.ok();
}

void JobCache::NoteOutcome(const Status& status) {
  // What is too large, and who is held up by another process, has nothing to mend.
  if (status.sys_errno() == EFBIG || status.sys_errno() == EAGAIN) return;
  last_errno_.store(status.sys_errno());
  if (!status.ok() && on_failure_ != nullptr && !is_told_.exchange(true)) on_failure_(status);
}

void JobCache::SetOnFailure(std::function<void(const Status&)> on_failure) {
  on_failure_ = std::move(on_failure);
  if (!problem_.ok()) NoteOutcome(problem_);
}

JobCacheStats JobCache::Stats() const {
  const auto used = results_->Used();
  return {.hits = hits_.load(),
          .misses = misses_.load(),
          .store = results_->Stats(),
          .used = used.ok() ? used.value() : ResultCache::Usage(),
          .last_errno = last_errno_.load()};
}

}  // namespace pixpress
