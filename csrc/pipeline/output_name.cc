#include "pipeline/output_name.h"

#include <string_view>

namespace pixpress {

std::string OutputName(const std::string& path, Format format) {
  constexpr std::string_view kOpen = ".*";
  const Codec* codec = FindCodec(format);
  if (codec == nullptr || !path.ends_with(kOpen)) return path;
  const std::string stem = path.substr(0, path.size() - kOpen.size());
  // As for Python, dots at the start of a name begin no extension.
  const size_t last = stem.find_last_not_of('.');
  if (last == std::string::npos || stem[last] == '/') return path;
  return stem + "." + std::string(codec->extensions.front());
}

}  // namespace pixpress
