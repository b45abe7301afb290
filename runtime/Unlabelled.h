// Records without labels, of which a trained classifier is to say the class. They are read as the records of training are,
// but for the label, and fed in their order: an evaluation of all of them.
#ifndef HEDDLE_RUNTIME_UNLABELLED_H
#define HEDDLE_RUNTIME_UNLABELLED_H
#include "runtime/DataSource.h"

#include <memory>
#include <optional>
#include <string>

namespace heddle {

/// Where the records are.
struct UnlabelledInput {
  std::optional<std::string> text;  // one text; else
  std::string path;                 // a file, or standard input if empty or "-"
};

/// Opens them for the entry `predict`, whose `data.*` inputs are the fields that they must have. Records are, for a program
/// whose data are
///   labelled: texts, a line each, read by `tokenizer`, that of the checkpoint;
///   csv: lines of a table that has the columns of those fields, and no others;
///   images: an IDX file.
/// Throws RunError: kUsage for a text where records are not texts, and for standard input where they are not lines; kData.
std::unique_ptr<DataSource> openUnlabelled(const RunConfig& config, const HeddleEntry& predict, const Tokenizer* tokenizer,
                                           const UnlabelledInput& input);

/// Those of each kind; `config` has the fields, ranges and binds of what they hold alone.
std::unique_ptr<DataSource> openUnlabelledTexts(const RunConfig& config, const Tokenizer& tokenizer, const UnlabelledInput& input);
std::unique_ptr<DataSource> openUnlabelledCsv(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openUnlabelledImages(const RunConfig& config, const std::string& path);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_UNLABELLED_H
