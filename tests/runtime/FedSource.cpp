// See FedSource.h.
#include "FedSource.h"

namespace heddle {

RunConfig FedSource::config(const nlohmann::json& data, nlohmann::json more) const {
  more["data"] = data, more["base"] = dir.path;
  return RunConfig::parse(more.dump().c_str());
}

std::unique_ptr<DataSource> FedSource::open(const nlohmann::json& data, FedProgram& program, bool evaluation,
                                            nlohmann::json more) {
  auto source = openDataSource(config(data, more), "");
  source->check(program.session(), program.entry(false), false);
  if (evaluation) source->check(program.session(), program.entry(true), true);
  return source;
}

std::string FedSource::openError(const nlohmann::json& data, FedProgram& program, bool evaluation, nlohmann::json more) {
  return errorOf([&] { open(data, program, evaluation, more); });
}

void FedSource::expectPlannedMemory(const nlohmann::json& data) {
  int64_t before = Arena::mapped();
  auto source = openDataSource(config(data), "");
  EXPECT_EQ(describeData(config(data), "").bytes, Arena::mapped() - before);
}

}  // namespace heddle
