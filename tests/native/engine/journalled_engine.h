#pragma once
// A scripted engine with a journal.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/scripted_engine.h"

namespace pixpress {

class JournalledEngine : public ScriptedEngine {
 public:
  // Takes over what an earlier one has left.
  JournalledEngine(const EngineOptions& options, const std::string& path)
      : ScriptedEngine(options, path) {}

  Result<std::shared_ptr<Job>> SubmitKept(const std::string& name) {
    JobSpec spec;
    spec.settings = std::make_shared<const Settings>();
    spec.source.name = name;
    const JournalText text{.settings = "s", .batch = "b"};
    return engine().Submit(std::move(spec), Priority::kHigh, 0, &text);
  }
  // What an earlier engine has left, suspects first.
  std::vector<std::shared_ptr<Job>> ResubmitAll() {
    std::vector<std::shared_ptr<Job>> jobs;
    const auto rows = Rows(JournalRows::kUnfinished);
    for (const bool is_suspect : {true, false}) {
      for (const JournalRow& row : rows) {
        if ((row.crashes > 0) != is_suspect) continue;
        JobSpec spec;
        spec.settings = std::make_shared<const Settings>();
        spec.source.name = row.job.source_path;
        jobs.push_back(engine().Resubmit(std::move(spec), row).value());
      }
    }
    return jobs;
  }
  std::vector<JournalRow> Rows(JournalRows which = JournalRows::kAll) {
    return engine().journal()->table().Rows(which, 0, 100'000).value();
  }
};

}  // namespace pixpress
