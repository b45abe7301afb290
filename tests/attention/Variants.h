// The programs of examples/attention and the sizes that they are tested with.
#pragma once
#include "frontend/BuildGraph.h"
#include <ostream>

namespace heddle {

/// One of examples/attention/*.heddle.
struct Variant {
  std::string name;
  bool dropout = false;   // only its train block has the dropout
  bool twoTexts = false;  // keys come from a sequence of another length; else there are as many keys as rows
  bool groups = false;    // heads are groups of two
  bool evenWidth = false; // of a head
  double large = 30;      // factor of the inputs that makes scores large and no intermediate value infinite
};
const std::vector<Variant> &variants();
const Variant &variant(const std::string &name);

/// Sizes of a test: batch, heads (or groups), rows, keys, width of a head.
struct AttentionShape {
  int64_t b, h, t, s, k;
  bool large = false;   // inputs are multiplied by Variant::large
  bool keyless = false;  // masks leave the first sequence without a key
};
/// As a variant can have it.
AttentionShape adapted(AttentionShape shape, const Variant &variant);
std::string shapeName(const AttentionShape &shape);

/// Shapes along the edges of blocks of 64 rows and 64 keys, of those of 16, and of vectors.
const std::vector<AttentionShape> &attentionShapes();

struct AttentionCase {
  Variant variant;
  AttentionShape shape;
  int number;  // of the shape
};
inline void PrintTo(const Variant &each, std::ostream *out) { *out << each.name; }
inline void PrintTo(const AttentionCase &each, std::ostream *out) {
  *out << each.variant.name << " " << shapeName(each.shape);
}
/// HEDDLE_ATTENTION_ALL is set: all shapes, and the native library of every third; else every third shape, other ones for
/// each variant, and the native library of one shape of every third variant. HEDDLE_ATTENTION_SHAPE="B H T S K N" is set:
/// that shape alone, with the random values and the target class of shape N.
bool allShapes();
std::vector<AttentionCase> attentionCases();

}  // namespace heddle
