// Tables, and what follows from them.
#include "tests/attention/Variants.h"
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

using namespace heddle;

const std::vector<Variant> &heddle::variants() {
  static const std::vector<Variant> all = {
      {.name = "additive"},
      {.name = "alibi"},
      {.name = "causal"},
      {.name = "causal-softcap-alibi-dropout", .dropout = true},
      {.name = "cross", .twoTexts = true},
      {.name = "dilated-window"},
      {.name = "documents"},
      {.name = "dropout", .dropout = true},
      {.name = "full"},
      {.name = "grouped-query", .groups = true},
      {.name = "learned-bias"},
      {.name = "longformer"},
      {.name = "multi-query"},
      {.name = "own-score", .large = 5},  // it has exp(x @ ws)
      {.name = "padded"},
      {.name = "prefix-lm"},
      {.name = "qk-norm"},
      {.name = "rotary", .evenWidth = true},
      {.name = "sliding-window"},
      {.name = "soft-cap"},
      {.name = "temperature"},
      {.name = "transformer-xl"},
  };
  return all;
}

const Variant &heddle::variant(const std::string &name) {
  for (const Variant &each : variants())
    if (each.name == name) return each;
  throw std::out_of_range(name);
}

// Long sequences have narrow heads and the other way round: an interpreter runs them all.
const std::vector<AttentionShape> &heddle::attentionShapes() {
  static const std::vector<AttentionShape> all = {
      {1, 1, 1, 1, 1},     {2, 2, 1, 1, 32},    {1, 1, 1, 64, 8},     {2, 1, 64, 1, 5},    {1, 3, 2, 2, 64},
      {1, 2, 3, 5, 80},    {2, 2, 5, 3, 128},   {1, 1, 7, 7, 5},      {2, 3, 11, 13, 1},   {1, 2, 13, 11, 8},
      {1, 1, 16, 16, 80},  {2, 2, 17, 15, 32},  {1, 2, 31, 33, 64},   {1, 1, 37, 41, 128}, {2, 2, 61, 59, 8},
      {1, 2, 63, 63, 5},   {1, 1, 63, 64, 32},  {1, 2, 64, 64, 8},    {1, 1, 64, 63, 64},  {1, 2, 64, 65, 5},
      {1, 1, 65, 64, 80},  {1, 1, 65, 65, 128}, {2, 1, 65, 66, 1},    {1, 2, 67, 71, 32},  {1, 1, 97, 101, 5},
      {1, 1, 127, 127, 8}, {1, 1, 127, 129, 1}, {1, 1, 128, 128, 32}, {1, 2, 128, 64, 5},  {1, 1, 129, 129, 5},
      {1, 1, 129, 65, 64}, {1, 1, 193, 191, 8},  {1, 1, 257, 256, 2},
      {1, 1, 65, 520, 2},  {1, 1, 513, 530, 1},
      {.b = 2, .h = 2, .t = 19, .s = 23, .k = 32, .large = true},
      {.b = 2, .h = 1, .t = 66, .s = 67, .k = 8, .large = true, .keyless = true},
      {.b = 2, .h = 2, .t = 65, .s = 65, .k = 5, .keyless = true},
  };
  return all;
}

AttentionShape heddle::adapted(AttentionShape shape, const Variant &variant) {
  if (!variant.twoTexts) shape.t = shape.s = std::max(shape.t, shape.s);
  if (variant.evenWidth) shape.k += shape.k % 2;
  return shape;
}

std::string heddle::shapeName(const AttentionShape &shape) {
  auto size = [](const char *name, int64_t value) { return name + std::to_string(value); };
  return size("B", shape.b) + size("H", shape.h) + size("T", shape.t) + size("S", shape.s) + size("K", shape.k) +
         (shape.large ? "large" : "") + (shape.keyless ? "keyless" : "");
}

bool heddle::allShapes() { return std::getenv("HEDDLE_ATTENTION_ALL") != nullptr; }

std::vector<AttentionCase> heddle::attentionCases() {
  std::vector<AttentionCase> cases;
  if (const char *text = std::getenv("HEDDLE_ATTENTION_SHAPE")) {
    AttentionShape shape{1, 1, 1, 1, 1};
    std::istringstream stream(text);
    int number = 0;
    for (int64_t *size : {&shape.b, &shape.h, &shape.t, &shape.s, &shape.k}) stream >> *size;
    stream >> number;
    for (const Variant &each : variants()) cases.push_back({each, adapted(shape, each), number});
    return cases;
  }
  for (size_t v = 0; v < variants().size(); ++v)
    for (size_t i = 0; i < attentionShapes().size(); ++i)
      if (allShapes() || (i + v) % 3 == 0)
        cases.push_back({variants()[v], adapted(attentionShapes()[i], variants()[v]), int(i)});
  return cases;
}
