#include "engine/cache_key.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

#include "base/build_id.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/record.h"
#include "codecs/codec.h"
#include "kernels/color_transform.h"
#include "pipeline/settings_record.h"

namespace pixpress {
namespace {

// Hashed between two looks at the stop token.
constexpr size_t kPieceBytes = 256u << 10;

int64_t UnixTimeNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A kernel's stamps are as fine as its timer, at worst 10 ms, and those of some file systems as two
// seconds: then they are whole ones.
bool MayChangeUnseen(const InputFile& file) {
  const bool is_coarse = file.changed_ns() % kNsPerSecond == 0;
  const int64_t grain_ns = is_coarse ? 2 * kNsPerSecond : 20 * kNsPerMs;
  return UnixTimeNs() - file.changed_ns() <= grain_ns;
}

std::optional<Sha256Digest> DigestOf(const InputFile& file, const StopToken& stop) {
  std::vector<uint8_t> piece(kPieceBytes);
  Sha256 hash;
  const uint64_t size_bytes = file.identity().size_bytes;
  for (uint64_t at = 0; at < size_bytes; at += kPieceBytes) {
    const auto bytes = std::span(piece).first(std::min<uint64_t>(kPieceBytes, size_bytes - at));
    if (stop.stop_requested() || !file.ReadAt(at, bytes).ok()) return std::nullopt;
    hash.Update(bytes);
  }
  return hash.Finish();
}

std::optional<Sha256Digest> DigestOf(Bytes bytes, const StopToken& stop) {
  Sha256 hash;
  while (!bytes.empty()) {
    if (stop.stop_requested()) return std::nullopt;
    const Bytes piece = bytes.first(std::min(kPieceBytes, bytes.size()));
    hash.Update(piece);
    bytes = bytes.subspan(piece.size());
  }
  return hash.Finish();
}

void Write(RecordWriter& record, const Sha256Digest& digest) {
  record.Field(std::string(digest.bytes.begin(), digest.bytes.end()));
}

void Write(RecordWriter& record, const std::vector<uint8_t>& bytes) {
  Write(record, Sha256::Of({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

// What somebody else has decoded: see Imported.
void Write(RecordWriter& record, const Imported& imported) {
  const auto& [metadata, frames, encoded_bytes] = imported;
  Write(record, metadata.icc);
  Write(record, metadata.exif);
  Write(record, metadata.xmp);
  record.Field(metadata.orientation);
  record.Field(frames);
  record.Field(encoded_bytes);
}

void WriteLayout(RecordWriter& record, const Source& source) {
  record.Field(source.layout.width);
  record.Field(source.layout.height);
  record.Enum(source.layout.color, ColorModel::kIndexed);
  record.Field(source.layout.has_alpha);
  record.Field(source.layout.bits);
  record.Field(uint64_t{source.stride_bytes});
  record.Field(source.imported != nullptr);
  if (source.imported != nullptr) Write(record, *source.imported);
}

// False if there is no key.
bool WriteFile(RecordWriter& record, const Source& source, const Limits& limits,
               const StopToken& stop, std::optional<Sha256Digest>* lately) {
  const auto file = InputFile::Open(source.name);
  if (!file.ok()) return false;
  const FileIdentity& identity = file.value().identity();
  if (identity.size_bytes > limits.max_input_bytes) return false;
  record.Field(file.value().CanonicalPath(source.name));
  record.Field(identity.size_bytes);
  record.Field(identity.mtime_ns);
  record.Field(file.value().changed_ns());
  if (!MayChangeUnseen(file.value())) return true;
  *lately = DigestOf(file.value(), stop);
  return lately->has_value();
}

bool WriteContent(RecordWriter& record, const Source& source, const StopToken& stop,
                  std::optional<Sha256Digest>* content) {
  if (source.kind == Source::Kind::kPixels) WriteLayout(record, source);
  if (!content->has_value()) *content = DigestOf(source.bytes, stop);
  if (!content->has_value()) return false;
  record.Field(uint64_t{source.bytes.size()});
  Write(record, **content);
  return true;
}

}  // namespace

std::string MakerRecord() {
  RecordWriter record;
  const std::string build = BuildId();
  if (build.empty()) return build;
  record.Field(build);
  for (const Codec* codec : AllCodecs()) {
    record.Field(std::string(codec->name));
    record.Field(codec->version());
  }
  record.Field(ColorLibraryVersion());
  return record.Take();
}

std::optional<CacheKey> MakeCacheKey(const JobSpec& spec, const std::string& maker,
                                     const StopToken& stop, std::optional<Sha256Digest>* content) {
  Settings settings = *spec.settings;
  settings.overwrite = Overwrite::kAll;
  RecordWriter record;
  record.Field(maker);
  record.Field(WriteSettings(settings));
  record.Enum(spec.source.kind, Source::Kind::kPixels);
  CacheKey key;
  const bool is_made = spec.source.kind == Source::Kind::kFile
                           ? WriteFile(record, spec.source, settings.limits, stop, &key.content)
                           : WriteContent(record, spec.source, stop, content);
  if (!is_made) return std::nullopt;
  key.digest = Sha256::Of(record.Take());
  return key;
}

std::optional<Sha256Digest> DigestOfFile(const std::string& path, const StopToken& stop) {
  const auto file = InputFile::Open(path);
  return file.ok() ? DigestOf(file.value(), stop) : std::nullopt;
}

}  // namespace pixpress
