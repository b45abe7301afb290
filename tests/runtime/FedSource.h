// The fixture of tests of sources: a source opened from files of a directory, as a program would, and checked against the
// entries of a FedProgram.
#ifndef HEDDLE_TESTS_RUNTIME_FEDSOURCE_H
#define HEDDLE_TESTS_RUNTIME_FEDSOURCE_H
#include "FedProgram.h"
#include "TempDir.h"

#include "runtime/DataSource.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace heddle {

/// Tests of one source: a directory, its configuration as JSON, and what is fed.
class FedSource : public testing::Test {
protected:
  /// Opens the source of `data` (JSON as in heddle.config) and checks it against the program's entries; `ranges` and
  /// others may be in `more`.
  std::unique_ptr<DataSource> open(const nlohmann::json& data, FedProgram& program, bool evaluation = true,
                                   nlohmann::json more = nlohmann::json::object());
  /// The error of the same.
  std::string openError(const nlohmann::json& data, FedProgram& program, bool evaluation = false,
                        nlohmann::json more = nlohmann::json::object());
  RunConfig config(const nlohmann::json& data, nlohmann::json more = nlohmann::json::object()) const;
  /// Bytes that describeData says and that opening maps: they must be the same.
  void expectPlannedMemory(const nlohmann::json& data);

  TempDir dir;
};

}  // namespace heddle
#endif  // HEDDLE_TESTS_RUNTIME_FEDSOURCE_H
