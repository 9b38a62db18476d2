#pragma once
// Names of output files that depend on the format.

#include <string>

#include "codecs/codec.h"

namespace pixpress {

// `path`, with the extension "*" replaced by the preferred one of `format`. As it is if it has
// another extension or none, or if the format is not known.
std::string OutputName(const std::string& path, Format format);

}  // namespace pixpress
