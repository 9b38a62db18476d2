#include "isolation/message.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/record.h"
#include "pipeline/settings_record.h"

namespace pixpress {
namespace {

constexpr size_t kMostTextBytes = 500;
constexpr size_t kMostWarnings = 32;

// What a visitor of T is given: writing changes nothing.
template <typename Record, typename T>
using Visited = std::conditional_t<std::is_same_v<Record, RecordWriter>, const T, T>;

void Visit(RecordWriter& record, const Status& status) {
  record.Enum(status.code(), StatusCode::kWorkerCrashed);
  record.Enum(status.stage(), Stage::kWrite);
  record.Field(int32_t{status.sys_errno()});
  record.Field(status.message().substr(0, kMostTextBytes));
}

void Visit(RecordReader& record, Status& status) {
  StatusCode code = StatusCode::kOk;
  Stage stage = Stage::kNone;
  int32_t sys_errno = 0;
  std::string message;
  record.Enum(code, StatusCode::kWorkerCrashed);
  record.Enum(stage, Stage::kWrite);
  record.Field(sys_errno);
  record.Field(message);
  status = Status(code, std::move(message), sys_errno).At(stage);
}

void Visit(RecordWriter& record, const Settings& settings) {
  record.Field(WriteSettings(settings));
}

void Visit(RecordReader& record, Settings& settings) {
  std::string bytes;
  record.Field(bytes);
  auto read = ReadSettings(bytes);
  if (!read.ok()) return record.Fail();
  settings = std::move(read).value();
}

void Visit(RecordWriter& record, const ImageLayout& layout) {
  record.Field(layout.width);
  record.Field(layout.height);
  record.Enum(layout.color, ColorModel::kIndexed);
  record.Field(layout.has_alpha);
  record.Field(layout.bits);
}

void Visit(RecordReader& record, ImageLayout& layout) {
  uint32_t width = 0;
  uint32_t height = 0;
  ColorModel color = ColorModel::kRgb;
  bool has_alpha = false;
  uint8_t bits = 8;
  record.Field(width);
  record.Field(height);
  record.Enum(color, ColorModel::kIndexed);
  record.Field(has_alpha);
  record.Field(bits);
  layout = ImageLayout::Interleaved(width, height, color, has_alpha, bits);
}

void Visit(RecordWriter& record, const std::vector<std::string>& warnings) {
  std::vector<std::string> kept(warnings.begin(),
                                warnings.begin() + std::min(warnings.size(), kMostWarnings));
  record.List(kept, [](RecordWriter& to, const std::string& text) {
    to.Field(text.substr(0, kMostTextBytes));
  });
}

void Visit(RecordReader& record, std::vector<std::string>& warnings) {
  record.List(warnings, [](RecordReader& from, std::string& text) { from.Field(text); });
}

// The bindings name all fields: one more does not compile until it is here as well.
template <typename Record>
void Visit(Record& record, Visited<Record, JobResult>& result) {
  auto& [data, format, width, height, original_bytes, compressed_bytes, estimated_memory_bytes,
         peak_memory_bytes, skipped_reason, quality, score, is_salvaged, warnings, stage_ns] =
      result;
  record.Enum(format, Format::kAvif);
  record.Field(width);
  record.Field(height);
  record.Field(original_bytes);
  record.Field(compressed_bytes);
  record.Field(estimated_memory_bytes);
  record.Field(peak_memory_bytes);
  record.Enum(skipped_reason, SkippedReason::kOutputNotLarger);
  record.Field(quality);
  record.Field(score);
  record.Field(is_salvaged);
  Visit(record, warnings);
  for (auto& ns : stage_ns) record.Field(ns);
}

template <typename Record>
void Visit(Record& record, Visited<Record, Hello>& hello) {
  record.Field(hello.filter_errno);
}

template <typename Record>
void Visit(Record& record, Visited<Record, PlanRequest>& request) {
  auto& [sequence, settings, is_pixels, layout, head_bytes, total_bytes, grant_bytes] = request;
  record.Field(sequence);
  Visit(record, settings);
  record.Field(is_pixels);
  Visit(record, layout);
  record.Field(head_bytes);
  record.Field(total_bytes);
  record.Field(grant_bytes);
}

template <typename Record>
void Visit(Record& record, Visited<Record, RunRequest>& request) {
  record.Field(request.sequence);
}

template <typename Record>
void Visit(Record& record, Visited<Record, Planned>& planned) {
  auto& [sequence, status, needs_more_input, memory_bytes] = planned;
  record.Field(sequence);
  Visit(record, status);
  record.Field(needs_more_input);
  record.Field(memory_bytes);
}

template <typename Record>
void Visit(Record& record, Visited<Record, Done>& done) {
  auto& [sequence, status, result] = done;
  record.Field(sequence);
  Visit(record, status);
  Visit(record, result);
}

// Make `message` the alternative of this number; false if there is none.
template <size_t kIndex = 0>
bool Select(size_t index, Message* message) {
  if constexpr (kIndex < std::variant_size_v<Message>) {
    if (index != kIndex) return Select<kIndex + 1>(index, message);
    message->emplace<kIndex>();
    return true;
  }
  return false;
}

}  // namespace

std::string WriteMessage(const Message& message) {
  RecordWriter record;
  record.Field(static_cast<uint8_t>(message.index()));
  std::visit([&](const auto& body) { Visit(record, body); }, message);
  return record.Take();
}

Result<Message> ReadMessage(std::string_view bytes) {
  RecordReader record(bytes);
  uint8_t index = 0;
  Message message;
  record.Field(index);
  const bool is_known = Select(index, &message);
  if (is_known) std::visit([&](auto& body) { Visit(record, body); }, message);
  if (!is_known || !record.ok() || !record.is_at_end()) {
    return Status(StatusCode::kWorkerCrashed, "the worker process sent what is no message");
  }
  return message;
}

}  // namespace pixpress
