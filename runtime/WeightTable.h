// The text of a table that maps the tensors of a file to the parameters of a program (docs/weights.md).
//
// A line is one statement, and one table serves both directions:
//   base gpt2 = transformer                                     prefixes that a program, or a file, may lack
//   gpt2.h.{i}.attn.w{q,k,v} = transformer.h.{i}.attn.c_attn.weight[D, ({0,1,2} of 3, H, K)]
//   gpt2.h.{i}.attn.wqkv[J = 0] = h.{i}.q_proj.weight[(H, K), D]        a part of a parameter
//   head.b = 0                                                  a parameter that no file has
//   init head.*                                                 one that keeps its initial value
//   tie lm_head.weight = transformer.wte.weight                 another name of a tensor
//   ignore *.attn.masked_bias                                   tensors of the file that mean nothing here
//   make bert.embeddings.position_ids : I64[1, P] = pos(P)      tensors that only the file has
// This is the syntax alone: names are not looked up and sizes not computed, which WeightPlan does.
#ifndef HEDDLE_RUNTIME_WEIGHTTABLE_H
#define HEDDLE_RUNTIME_WEIGHTTABLE_H
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// Line and column, from 1; columns count bytes.
struct TablePlace {
  int line = 0, column = 0;
};

/// What the indices of a name stand for: {"i": 3}.
using TableIndices = std::map<std::string, int64_t>;

/// A name with indices, `h.{i}.attn.wq` or `layers.{i+1}`, and, in lists of names, `*` for any characters.
struct NamePattern {
  struct Part {
    std::string text;   // to stand as it is; or, where it is empty,
    std::string index;  // a number, `plus` more than the index; or, where that is empty too, any characters
    int64_t plus = 0;
  };
  std::vector<Part> parts;
  TablePlace place;

  /// Does the whole name match? Adds what the indices are. A number is written without leading zeros.
  bool match(std::string_view name, TableIndices& indices) const;
  /// The name for these indices: all of the pattern's must be there.
  std::string fill(const TableIndices& indices) const;
  /// As it was written.
  std::string text() const;
  /// The first index that is not among these, or null.
  const Part* unbound(const TableIndices& indices) const;
};

/// A sum of products of numbers, dims and indices: G*R*K + 2*K.
struct TableSize {
  struct Atom {
    int64_t number = 0;      // of an index: what is added to it
    std::string dim, index;  // one of them is set, or neither: then it is the number
  };
  std::vector<std::vector<Atom>> terms;
  TablePlace place;
};

/// A factor of an axis of the file: a dim of the parameter, `0 of 3`, or `1`.
struct TableFactor {
  std::string dim;
  std::optional<TableSize> element, of;
  TablePlace place;
};

/// An axis of the file, slowest factor first: D, (H, K), (G, K) at G*R*K.
struct TableAxis {
  std::vector<TableFactor> factors;
  std::optional<TableSize> at;
  TablePlace place;
};

/// What a rule takes of a dim of its parameter: element `first`, or those from `first` to below `end`.
struct TableTake {
  std::string dim;
  TableSize first;
  std::optional<TableSize> end;
  TablePlace place;
};

/// PARAMETER[TAKES] = TENSOR[AXES], or = NUMBER.
struct TableRule {
  NamePattern parameter, tensor;
  std::vector<TableTake> takes;
  std::optional<float> constant;               // then there is no tensor
  std::optional<std::vector<TableAxis>> axes;  // none: the parameter's dims, in their order
};

struct TableTie {
  NamePattern name, same;
};

/// A tensor of the file whose values the table knows: a number everywhere, or positions along an axis.
struct TableMade {
  NamePattern name;
  std::string dtype;  // of the format: F32, I64, ...
  std::vector<TableSize> shape;
  double value = 0;
  std::optional<size_t> positions;  // the axis
};

struct WeightTable {
  std::string path;
  std::string programBase, fileBase;  // with their dot, or ""
  std::vector<TableRule> rules;
  std::vector<NamePattern> ignored, initial;
  std::vector<TableTie> ties;
  std::vector<TableMade> made;

  /// `path` is for messages. Throws RunError(kData) that lists the first mistake of every line, with line and column.
  static WeightTable parse(const std::string& text, const std::string& path);
  static WeightTable read(const std::string& path);
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_WEIGHTTABLE_H
