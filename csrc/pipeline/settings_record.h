#pragma once
// Settings as bytes, for whoever keeps a job or hands it to another process.

#include <string>
#include <string_view>

#include "base/status.h"
#include "pipeline/job_spec.h"

namespace pixpress {

// A record of every field; its first byte is the version of its form.
std::string WriteSettings(const Settings& settings);

// kOption if the record is of another version, damaged, or has values that no setting can have.
// Numbers are as they were written: MakePlan checks them.
Result<Settings> ReadSettings(std::string_view record);

}  // namespace pixpress
