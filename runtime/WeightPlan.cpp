// See WeightPlan.h. A rule is applied to every parameter that its name matches. An axis of the file is a product of
// factors, slowest first, so each factor has a stride within its axis; once all rules are applied, the sizes of a tensor's
// axes are known, and with them the strides of whole tensors.
//
// That every element is given once is counted first, so that a table with absurd sizes costs nothing; only a tensor whose
// count is right is marked element by element.
#include "runtime/WeightPlan.h"

#include "runtime/Checkpoint.h"
#include "runtime/Initialise.h"
#include "runtime/Options.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

namespace heddle {
namespace {

constexpr int64_t kMaxElements = std::numeric_limits<int64_t>::max() / 16;

struct Problem {
  TablePlace place;
  std::string message;
};

// How a piece lies along one axis of the file.
struct AxisPart {
  std::vector<WeightPiece::Loop> loops;  // fileStride within the axis
  int64_t start = 0, length = 1;         // of the axis
  bool placed = false;                   // by `at`: the axis may go on
  std::string text;
  TablePlace place;
};

struct Draft {
  WeightPiece piece;
  std::vector<AxisPart> axes;
};

int64_t times(int64_t a, int64_t b, TablePlace place) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product) || product > kMaxElements) throw Problem{place, "the size is too large"};
  return product;
}

std::string dimsText(const ParameterTensor& tensor) {
  std::vector<std::string> dims;
  for (auto& [name, size] : tensor.dims) dims.push_back(fmt::format("{}={}", name, size));
  return fmt::format("[{}]", fmt::join(dims, ", "));
}

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  std::string guess = candidates.size() > 2000 ? "" : didYouMean(word, candidates);
  return guess.empty() ? "" : "; " + guess;
}

std::string withoutNumbers(const std::string& line) {
  std::string plain;
  for (char c : line)
    if (!isdigit(static_cast<unsigned char>(c))) plain += c;
  return plain;
}

class Planner {
public:
  Planner(const WeightTable& table, const Parameters& parameters, WeightPlan& plan)
      : table(table), parameters(parameters), plan(plan), pieces(parameters.tensors.size()) {
    bool lacksBase = std::none_of(parameters.tensors.begin(), parameters.tensors.end(),
                                  [&](auto& t) { return t.name.starts_with(table.programBase); });
    base = lacksBase ? table.programBase : "";
  }

  void run() {
    for (const TableRule& rule : table.rules) apply(rule);
    for (const NamePattern& pattern : table.initial) keepInitial(pattern);
    finishTensors();
    coverParameters();
    for (const TableTie& tie : table.ties) attempt([&] { addTie(tie); });
    for (const TableMade& made : table.made) attempt([&] { addMade(made); });
    if (problems.empty()) return;
    std::stable_sort(problems.begin(), problems.end(), [](auto& a, auto& b) {
      bool noLineA = a.place.line == 0, noLineB = b.place.line == 0;  // these come last
      return std::tie(noLineA, a.place.line, a.place.column) < std::tie(noLineB, b.place.line, b.place.column);
    });
    std::vector<std::string> lines;
    std::map<std::string, std::pair<size_t, int>> said;  // what differs in numbers alone, of the same place: its line, how often
    for (const Problem& p : problems) {
      std::string line = p.place.line ? fmt::format("{}:{}:{}: {}", table.path, p.place.line, p.place.column, p.message)
                                      : p.message;
      auto [known, isNew] = said.emplace(p.place.line ? withoutNumbers(line) : line, std::pair(lines.size(), 0));
      if (isNew) lines.push_back(line);
      else ++known->second.second;
    }
    for (auto& [line, times] : said)
      if (times.second) lines[times.first] += fmt::format(" (and so {} more)", times.second);
    throw RunError(kData, fmt::format("{}", fmt::join(lines, "\n  ")), "docs/weights.md says what a table may hold");
  }

private:
  template <typename Action> bool attempt(Action action) {
    try {
      action();
      return true;
    } catch (Problem& problem) {
      problems.push_back(std::move(problem));
      return false;
    }
  }

  bool matches(const NamePattern& pattern, const std::string& name, TableIndices& indices) const {
    return pattern.match(name, indices) || (!base.empty() && pattern.match(base + name, indices));
  }

  int64_t dimSize(const std::string& name, const ParameterTensor* tensor, TablePlace place) const {
    if (tensor)
      for (auto& [dim, size] : tensor->dims)
        if (dim == name) return size;
    auto found = parameters.dims.find(name);
    if (found == parameters.dims.end()) {
      std::vector<std::string> names;
      for (auto& [dim, size] : parameters.dims) names.push_back(dim);
      throw Problem{place, fmt::format("no parameter has a dim `{}`{}", name, suggestion(name, names))};
    }
    if (found->second < 0) throw Problem{place, fmt::format("dims called `{}` have several sizes: write a number", name)};
    return found->second;
  }

  int64_t valueOf(const TableSize& size, const ParameterTensor* tensor, const TableIndices& indices) const {
    int64_t sum = 0;
    for (auto& term : size.terms) {
      int64_t product = 1;
      for (const TableSize::Atom& atom : term) {
        int64_t value = atom.number;
        if (!atom.dim.empty()) value = dimSize(atom.dim, tensor, size.place);
        if (!atom.index.empty()) {
          auto index = indices.find(atom.index);
          if (index == indices.end())
            throw Problem{size.place, fmt::format("the index `{{{}}}` does not stand in the parameter's name", atom.index)};
          value = index->second + atom.number;
        }
        product = times(product, value, size.place);
      }
      if (__builtin_add_overflow(sum, product, &sum) || sum > kMaxElements)
        throw Problem{size.place, "the size is too large"};
    }
    return sum;
  }

  void apply(const TableRule& rule) {
    bool any = false;
    for (size_t p = 0; p < parameters.tensors.size(); ++p) {
      TableIndices indices;
      if (!matches(rule.parameter, parameters.tensors[p].name, indices)) continue;
      any = true;
      if (!attempt([&] { addPiece(rule, p, indices); })) faulty.insert(p);
    }
    if (!any) noParameter(rule.parameter);
  }

  void noParameter(const NamePattern& pattern) {
    std::vector<std::string> names;
    for (const std::string& name : parameters.patterns) names.push_back(base + name);
    NamePattern plain = pattern;
    for (NamePattern::Part& part : plain.parts)
      if (!part.index.empty()) part.index = "i", part.plus = 0;
    problems.push_back({pattern.place, fmt::format("the program has no parameter `{}`{}", pattern.text(),
                                                   suggestion(plain.text(), names))});
  }

  void addPiece(const TableRule& rule, size_t p, const TableIndices& indices) {
    const ParameterTensor& tensor = parameters.tensors[p];
    Draft draft;
    draft.piece.parameter = p;
    draft.piece.place = rule.parameter.place;
    std::vector<Dim> dims = dimsOf(tensor);
    for (const TableTake& taken : rule.takes) takePart(taken, tensor, indices, dims, draft.piece.parameterStart);
    if (rule.constant) {
      for (const Dim& d : dims)
        if (!d.taken) draft.piece.loops.push_back({d.size, d.stride, 0});
      draft.piece.constant = *rule.constant;
      pieces[p].push_back(draft.piece);
      plan.constants.push_back(std::move(draft.piece));
      return;
    }
    if (auto* part = rule.tensor.unbound(indices))
      throw Problem{rule.tensor.place, fmt::format("the index `{{{}}}` does not stand in the parameter's name", part->index)};
    if (rule.axes) {
      for (const TableAxis& axis : *rule.axes) draft.axes.push_back(layAxis(axis, tensor, indices, dims));
      for (const Dim& d : dims)
        if (!d.taken)
          throw Problem{rule.axes->empty() ? rule.tensor.place : rule.axes->front().place,
                        fmt::format("`{}` of {} {} stands nowhere in the axes of the file", d.name, tensor.name,
                                    dimsText(tensor))};
    } else {
      for (Dim& d : dims)
        if (!d.taken)
          draft.axes.push_back({{{d.size, d.stride, 1}}, 0, d.size, false, fmt::format("{}={}", d.name, d.size),
                                rule.tensor.place});
    }
    drafts[rule.tensor.fill(indices)].push_back(std::move(draft));
  }

  struct Dim {
    std::string name;
    int64_t size, stride;
    bool taken;  // has found its place
  };

  static std::vector<Dim> dimsOf(const ParameterTensor& tensor) {
    std::vector<Dim> dims;
    int64_t stride = 1;
    for (auto d = tensor.dims.rbegin(); d != tensor.dims.rend(); ++d) {
      dims.insert(dims.begin(), Dim{d->first, d->second, stride, false});
      stride *= d->second;
    }
    return dims;
  }

  Dim& findDim(const std::string& name, const ParameterTensor& tensor, std::vector<Dim>& dims, TablePlace place) const {
    std::vector<std::string> names;
    for (Dim& d : dims) {
      names.push_back(d.name);
      if (d.name != name) continue;
      if (d.taken) throw Problem{place, fmt::format("`{}` of {} stands twice, or one element of it was taken", name, tensor.name)};
      return d;
    }
    throw Problem{place, fmt::format("{} {} has no dim `{}`{}", tensor.name, dimsText(tensor), name, suggestion(name, names))};
  }

  void takePart(const TableTake& taken, const ParameterTensor& tensor, const TableIndices& indices, std::vector<Dim>& dims,
                int64_t& start) const {
    Dim& d = findDim(taken.dim, tensor, dims, taken.place);
    int64_t first = valueOf(taken.first, &tensor, indices);
    int64_t end = taken.end ? valueOf(*taken.end, &tensor, indices) : first + 1;
    if (first >= end || end > d.size)
      throw Problem{taken.first.place, taken.end ? fmt::format("{}..{} is no part of {}={}", first, end, d.name, d.size)
                                                 : fmt::format("{}={} has no element {}", d.name, d.size, first)};
    start += first * d.stride;
    d.size = end - first;
    if (!taken.end) d.taken = true;
  }

  AxisPart layAxis(const TableAxis& axis, const ParameterTensor& tensor, const TableIndices& indices,
                   std::vector<Dim>& dims) const {
    AxisPart part;
    part.place = axis.place;
    std::vector<std::string> texts;
    for (auto factor = axis.factors.rbegin(); factor != axis.factors.rend(); ++factor) {
      if (factor->element) {
        int64_t element = valueOf(*factor->element, &tensor, indices), of = valueOf(*factor->of, &tensor, indices);
        if (element >= of) throw Problem{factor->place, fmt::format("{} of {}: elements count from 0", element, of)};
        part.start += times(element, part.length, factor->place);
        part.length = times(part.length, of, factor->place);
        texts.push_back(fmt::format("{} of {}", element, of));
      } else if (factor->dim.empty()) {
        texts.push_back("1");
      } else {
        Dim& d = findDim(factor->dim, tensor, dims, factor->place);
        d.taken = true;
        part.loops.push_back({d.size, d.stride, part.length});
        part.length = times(part.length, d.size, factor->place);
        texts.push_back(fmt::format("{}={}", d.name, d.size));
      }
    }
    std::reverse(texts.begin(), texts.end());
    part.text = texts.size() == 1 ? texts[0] : fmt::format("({})", fmt::join(texts, ", "));
    if (axis.at) {
      int64_t at = valueOf(*axis.at, &tensor, indices);
      part.start += at, part.placed = true;
      part.text += fmt::format(" at {}", at);
      part.length = part.length + at;  // up to where it reaches
    }
    return part;
  }

  void finishTensors() {
    for (auto& [name, parts] : drafts)
      if (!attempt([&, &name = name, &parts = parts] { finish(name, parts); }))
        for (Draft& draft : parts) faulty.insert(draft.piece.parameter);
  }

  // Sizes of the axes, strides, and that every element is given once.
  void finish(const std::string& name, std::vector<Draft>& parts) {
    const Draft& first = parts[0];
    PlannedTensor tensor;
    tensor.name = name, tensor.place = first.piece.place;
    std::vector<std::string> texts;
    for (const AxisPart& axis : first.axes) texts.push_back(axis.text);
    tensor.layout = fmt::format("[{}]", fmt::join(texts, ", "));
    for (const Draft& draft : parts)
      if (draft.axes.size() != first.axes.size())
        throw Problem{draft.piece.place, fmt::format("`{}` has {} axes here, but {} in line {}", name, draft.axes.size(),
                                                     first.axes.size(), first.piece.place.line)};
    for (size_t a = 0; a < first.axes.size(); ++a) {
      int64_t size = 0;
      for (const Draft& draft : parts) size = std::max(size, draft.axes[a].length);
      for (const Draft& draft : parts)
        if (!draft.axes[a].placed && draft.axes[a].length != size)
          throw Problem{draft.axes[a].place, fmt::format("axis {} of `{}` has size {} here, {}, but {} by another rule", a,
                                                         name, draft.axes[a].length, draft.axes[a].text, size)};
      tensor.shape.push_back(size);
    }
    int64_t elements = 1;
    for (size_t a = first.axes.size(); a-- > 0; elements = times(elements, tensor.shape[a], first.piece.place))
      for (Draft& draft : parts) {
        draft.piece.fileStart += draft.axes[a].start * elements;
        for (WeightPiece::Loop loop : draft.axes[a].loops)
          draft.piece.loops.push_back({loop.size, loop.parameterStride, loop.fileStride * elements});
      }
    for (Draft& draft : parts) {
      std::sort(draft.piece.loops.begin(), draft.piece.loops.end(),
                [](auto& x, auto& y) { return x.fileStride > y.fileStride; });
      tensor.pieces.push_back(std::move(draft.piece));
    }
    cover(fmt::format("`{}` {}", name, shapeText(tensor.shape)), elements, tensor.pieces, [](int64_t, int64_t f) { return f; });
    for (const WeightPiece& piece : tensor.pieces) pieces[piece.parameter].push_back(piece);
    plan.tensors.push_back(std::move(tensor));
  }

  // Throws unless the pieces give each of `elements` elements once; which(parameter's element, file's) is what they give.
  template <typename Which>
  void cover(const std::string& what, int64_t elements, const std::vector<WeightPiece>& given, Which which) const {
    int64_t count = 0;
    std::set<int> lines;
    for (const WeightPiece& piece : given) count += piece.elements(), lines.insert(piece.place.line);
    TablePlace place = given[0].place;
    std::string rules = fmt::format("{} {}", lines.size() == 1 ? "the rule of line" : "the rules of lines", fmt::join(lines, ", "));
    if (count < elements)
      throw Problem{place, fmt::format("{}: {} {} only {} of its {} elements", what, rules,
                                       lines.size() == 1 ? "gives" : "give", count, elements)};
    if (given.size() == 1) return;  // one piece walks each element once
    std::vector<bool> seen(static_cast<size_t>(elements));
    for (const WeightPiece& piece : given) {
      int64_t twice = -1;
      piece.forEach([&](int64_t p, int64_t f) {
        size_t at = size_t(which(p, f));
        if (seen[at] && twice < 0) twice = int64_t(at);
        seen[at] = true;
      });
      if (twice >= 0)
        throw Problem{piece.place, fmt::format("{}: element {} is given twice, by {}", what, twice, rules)};
    }
  }

  void coverParameters() {
    for (size_t p = 0; p < parameters.tensors.size(); ++p) {
      const ParameterTensor& tensor = parameters.tensors[p];
      bool kept = std::find(plan.initial.begin(), plan.initial.end(), p) != plan.initial.end();
      if (kept && !pieces[p].empty())
        problems.push_back({pieces[p][0].place, fmt::format("{} has a rule, and `init` keeps its values", tensor.name)});
      if (kept || faulty.count(p)) continue;
      if (pieces[p].empty()) {
        problems.push_back({{}, fmt::format("{}: the parameter {} {} has no rule", table.path, tensor.name, dimsText(tensor))});
        continue;
      }
      int64_t elements = 1;
      for (auto& [name, size] : tensor.dims) elements *= size;
      attempt([&] {
        cover(fmt::format("the parameter {} {}", tensor.name, dimsText(tensor)), elements, pieces[p],
              [](int64_t mine, int64_t) { return mine; });
      });
    }
  }

  void keepInitial(const NamePattern& pattern) {
    bool any = false;
    for (size_t p = 0; p < parameters.tensors.size(); ++p)
      if (TableIndices indices; matches(pattern, parameters.tensors[p].name, indices)) {
        any = true;
        if (std::find(plan.initial.begin(), plan.initial.end(), p) == plan.initial.end()) plan.initial.push_back(p);
      }
    if (!any) noParameter(pattern);
  }

  void addTie(const TableTie& tie) {
    bool any = false;
    for (size_t t = 0; t < plan.tensors.size(); ++t) {
      TableIndices indices;
      if (!tie.same.match(plan.tensors[t].name, indices)) continue;
      any = true;
      if (auto* part = tie.name.unbound(indices))
        throw Problem{tie.name.place, fmt::format("the index `{{{}}}` does not stand in `{}`", part->index, tie.same.text())};
      addName(tie.name.fill(indices), tie.name.place);
      plan.aliases.emplace_back(tie.name.fill(indices), t);
    }
    if (!any && problems.empty())
      throw Problem{tie.same.place, fmt::format("no rule gives a tensor `{}`", tie.same.text())};
  }

  void addMade(const TableMade& made) {
    MadeTensor result{made.name.fill({}), made.dtype, {}, made.value, made.positions ? int64_t(*made.positions) : -1};
    int64_t elements = 1;
    for (const TableSize& size : made.shape) {
      result.shape.push_back(valueOf(size, nullptr, {}));
      elements = times(elements, result.shape.back(), size.place);
    }
    if (elements > kMaxMade)
      throw Problem{made.name.place, fmt::format("`{}` has {} elements; at most {} can be made", result.name, elements, kMaxMade)};
    addName(result.name, made.name.place);
    plan.made.push_back(std::move(result));
  }

  void addName(const std::string& name, TablePlace place) {
    if (plan.find(name) || !otherNames.insert(name).second)
      throw Problem{place, fmt::format("`{}` is given by another line too", name)};
  }

  static constexpr int64_t kMaxMade = 1 << 26;
  const WeightTable& table;
  const Parameters& parameters;
  WeightPlan& plan;
  std::string base;                                    // that the names of the program lack
  std::map<std::string, std::vector<Draft>> drafts;    // by the tensor of the file
  std::vector<std::vector<WeightPiece>> pieces;        // by parameter
  std::set<size_t> faulty;                             // parameters of which something was said
  std::set<std::string> otherNames;
  std::vector<Problem> problems;
};

}  // namespace

std::string shapeText(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

int64_t WeightPiece::elements() const {
  int64_t count = 1;
  for (const Loop& loop : loops) count *= loop.size;
  return count;
}

Parameters::Parameters(const HeddleVariable* variables, int32_t count, void* arena) {
  for (int32_t i = 0; i < count; ++i) {
    const HeddleVariable& v = variables[i];
    if (v.kind != HEDDLE_PARAMETER) continue;
    if (v.type != HEDDLE_F32) throw RunError(kData, fmt::format("the parameter {} is not f32", v.name));
    std::vector<std::pair<std::string, int64_t>> inner;
    for (int32_t d = 0; d < v.rank; ++d) {
      auto [known, isNew] = dims.emplace(v.dims[d].name, v.dims[d].size);
      if (!isNew && known->second != v.dims[d].size) known->second = -1;
      if (d >= v.repeats) inner.emplace_back(v.dims[d].name, v.dims[d].size);
    }
    for (const VariableLayer& layer : layersOf(v))
      tensors.push_back({layer.name, inner, reinterpret_cast<float*>(static_cast<char*>(arena) + layer.offset)});
    std::string pattern = v.name;
    for (size_t at; (at = pattern.find("{}")) != std::string::npos;) pattern.replace(at, 2, "{i}");
    patterns.push_back(std::move(pattern));
  }
}

const PlannedTensor* WeightPlan::find(const std::string& name) const {
  auto at = std::lower_bound(tensors.begin(), tensors.end(), name, [](auto& t, auto& n) { return t.name < n; });
  return at != tensors.end() && at->name == name ? &*at : nullptr;
}

WeightPlan::WeightPlan(const WeightTable& table, const Parameters& parameters) { Planner(table, parameters, *this).run(); }

}  // namespace heddle
