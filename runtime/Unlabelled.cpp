// See Unlabelled.h. Facts of the training data, such as the number of records, say nothing of these; the sizes that a
// program has from its data, such as the number of columns, must be theirs too.
#include "runtime/Unlabelled.h"

#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle {
namespace {

bool takes(const HeddleEntry& entry, const std::string& field) {
  for (int i = 0; i < entry.input_count; ++i)
    if (entry.inputs[i].name == "data." + field) return true;
  return false;
}

RunConfig withoutLabels(RunConfig config, const HeddleEntry& predict) {
  std::erase_if(config.data.fields, [&](const FieldConfig& field) { return !takes(predict, field.name); });
  std::erase_if(config.binds, [&](const DataBind& bind) { return !takes(predict, bind.fact.substr(0, bind.fact.find('.'))); });
  return config;
}

}  // namespace

std::unique_ptr<DataSource> openUnlabelled(const RunConfig& all, const HeddleEntry& predict, const Tokenizer* tokenizer,
                                           const UnlabelledInput& input) {
  RunConfig config = withoutLabels(all, predict);
  const std::string& kind = config.data.kind;
  if (kind == "labelled") {
    if (!tokenizer) throw RunError(kData, "the checkpoint has no tokenizer, by which texts are read");
    return openUnlabelledTexts(config, *tokenizer, input);
  }
  const char* records = kind == "csv" ? "lines of a table" : "images";
  if (input.text) throw RunError(kUsage, fmt::format("--text: the records of this model are {}", records), "--input names a file of them");
  if (input.path.empty() || input.path == "-")
    throw RunError(kUsage, fmt::format("the records of this model are {}, which are not read from standard input", records),
                   "--input names a file of them");
  if (kind == "csv") return openUnlabelledCsv(config, input.path);
  if (kind == "images") return openUnlabelledImages(config, input.path);
  throw RunError(kInternal, fmt::format("predictions of '{}' data", kind));
}

}  // namespace heddle
