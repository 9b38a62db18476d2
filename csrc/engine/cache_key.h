#pragma once
// All that the result of a job depends on, as one key.

#include <optional>
#include <string>

#include "base/sha256.h"
#include "base/stop_token.h"
#include "pipeline/job_spec.h"

namespace pixpress {

struct CacheKey {
  Sha256Digest digest;
  // The file of the source was changed so lately that one more change might not show in its times:
  // the digest of what was in it.
  std::optional<Sha256Digest> content;
};

// This build, and the versions of all libraries that it uses now. Empty if the build cannot be told
// from others.
std::string MakerRecord();

// Which source the job has, and every setting but those about the output's place. Of a file: path
// without links, size, and times of change; else a digest of the content, which is made once and
// kept in `content`. Nothing if the source cannot be read, or `stop` asks: the job says so itself.
std::optional<CacheKey> MakeCacheKey(const JobSpec& spec, const std::string& maker,
                                     const StopToken& stop, std::optional<Sha256Digest>* content);

// Of a file, as it is now. Nothing as above.
std::optional<Sha256Digest> DigestOfFile(const std::string& path, const StopToken& stop);

}  // namespace pixpress
