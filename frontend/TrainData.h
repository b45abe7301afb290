// The data of a train block: which source, its fields and settings, and the dims that get their size from the data.
#pragma once
#include "frontend/BuildGraph.h"
#include "frontend/Elaborator.h"

#include <variant>

namespace heddle {

/// A field `data.x` of a batch. Facts are what the runtime tells of the data by name (runtime/DataSource.h).
/// What generation makes of a field: it has none of it, writes it token by token, is given it, or has true all over (a sample
/// is one sequence, from its beginning, of tokens that all count).
enum class WhenSampling { Absent, Generated, Given, True };

struct DataField {
  std::string name;
  ast::Element element = ast::Element::I32;
  std::vector<ast::Ident> dims;
  std::string values;             // the fact with the number of its values; "" if there is none
  std::vector<std::string> sizes; // for each dim, the fact with its size, or ""
  WhenSampling sampling = WhenSampling::Absent;
};

using DataSetting = std::variant<bool, int64_t, double, std::string, std::vector<double>>;

struct DataDeclaration {
  std::string kind; // of the table in TrainData.cpp; empty: none
  std::string path;
  std::map<std::string, DataSetting> settings; // as heddle.config has them
  std::vector<DataField> fields;
  bool ownFields = false; // the program declares them
  bool records = false;   // the source has records, which `batch = all` can count
  bool partial = false;   // the last batch of an evaluation may be partial: `$rows` says which of its rows count
  std::optional<Span> all; // `batch = all`
  std::vector<ast::Ident> lengths; // the dims along which each record has a length of its own
  int64_t buckets = 0;             // by these lengths
  std::optional<ast::Ident> vocabulary, classes; // the dims that have the size of these
  std::map<std::string, int64_t> sizes; // of the dims that the program gives a size, after bindData
  Span span, pathSpan;
};

/// A dim that got its size from the data.
struct BoundDim {
  std::string dim, fact;
  int64_t size;
};

struct TrainBlock;

/// Reads `data = e`.
void readData(const ast::Expr &expr, Elaborator &el, Elaborator::Frame &frame, DataDeclaration &out);
/// `cross_entropy(y, data.next, over V)`: a loss against a field of the data.
struct FieldLoss {
  const ast::Call *call;
  std::string field;         // "next"
  const ast::Ident *classes; // V; null if the call does not say it
};
/// Those of a block, in the order of its text.
std::vector<FieldLoss> fieldLosses(const ast::Train &block);

/// The names of all sources.
std::vector<std::string> dataSources();

/// Gives the open dims that the data determine their sizes, in `sizes` and in the block's binds: the axis that a cross
/// entropy against a field goes over, dims of fields, the vocabulary and the classes, with `batch = all` the batch.
/// H0409 if the data cannot be read or do not tell.
void bindData(const ModuleTable &table, TrainBlock &block, std::map<std::string, int64_t> &sizes,
              Diagnostics &diagnostics, const BuildSettings &settings);

/// The `data` of heddle.config.
std::string dataJson(const DataDeclaration &data);

} // namespace heddle
