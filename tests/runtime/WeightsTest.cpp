// Tables that map a file's tensors to parameters: what they mean in both directions, and what is wrong in wrong ones.
#include "TempDir.h"

#include "runtime/MapWeights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <list>
#include <numeric>
#include <random>

namespace heddle {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A program's parameters and their memory: {"h.{}.wq", {{"L", 2}, {"D", 4}}, repeats}, with values 1, 2, 3, ...
class Program {
public:
  void add(const std::string& name, std::vector<std::pair<const char*, int64_t>> dims, int32_t repeats = 0) {
    names.push_back(name);
    auto& kept = sizes.emplace_back();
    int64_t elements = 1;
    for (auto& [dim, size] : dims) kept.push_back({dim, size}), elements *= size;
    HeddleVariable v{};
    v.kind = HEDDLE_PARAMETER, v.type = HEDDLE_F32, v.rank = int32_t(dims.size()), v.repeats = repeats;
    v.name = names.back().c_str(), v.dims = kept.data(), v.offset = int64_t(values.size()) * 4;
    variables.push_back(v);
    values.resize(values.size() + size_t(elements));
    std::iota(values.begin(), values.end(), 1.f);
  }
  Parameters parameters() { return Parameters(variables.data(), int32_t(variables.size()), values.data()); }

  std::vector<float> values;

private:
  std::list<std::string> names;
  std::list<std::vector<HeddleDim>> sizes;
  std::vector<HeddleVariable> variables;
};

// A GPT's layer with fused query, key and value in the file.
Program attention() {
  Program p;
  p.add("wte", {{"V", 5}, {"D", 4}});
  for (const char* name : {"h.{}.wq", "h.{}.wk", "h.{}.wv"}) p.add(name, {{"L", 2}, {"D", 4}, {"H", 2}, {"K", 3}}, 1);
  p.add("h.{}.wo", {{"L", 2}, {"H", 2}, {"K", 3}, {"D", 4}}, 1);
  return p;
}
constexpr char kAttention[] = "wte = wte.weight\n"
                              "h.{i}.w{q,k,v} = h.{i}.qkv[D, ({0,1,2} of 3, H, K)]  # fused\n"
                              "h.{i}.wo = h.{i}.o[D, (H, K)]\n";

class Weights : public testing::Test {
protected:
  TempDir dir;

  WeightTable table(const std::string& text) { return WeightTable::parse(text, "t.map"); }
  std::string tableError(const std::string& text) {
    return errorOf([&] { table(text); });
  }
  std::string planError(const std::string& text, Program program = attention()) {
    return errorOf([&] { WeightPlan(table(text), program.parameters()); });
  }
  std::vector<float> tensor(const std::string& path, const std::string& name) {
    SafetensorsFile file(path);
    const SafetensorsEntry* entry = file.find(name);
    if (!entry) return {};
    std::vector<float> values(size_t(entry->elements()));
    file.read(*entry, HEDDLE_F32, values.data());
    return values;
  }
  // A file of f32 tensors, all elements `value`.
  void write(const std::string& path, const std::vector<std::pair<std::string, std::vector<int64_t>>>& tensors,
             float value = 0, const std::string& dtype = "F32") {
    SafetensorsWriter writer;
    for (auto& [name, shape] : tensors)
      writer.add(name, dtype, shape, [=](std::vector<char>& bytes) {
        for (size_t i = 0; i + 4 <= bytes.size(); i += 4) memcpy(bytes.data() + i, &value, 4);
      });
    writer.write(path);
  }
  std::string importError(const std::string& text, const std::string& path, Program program = attention()) {
    std::vector<float> before = program.values;
    std::string error = errorOf([&] { importWeights(table(text), WeightFiles(path), program.parameters()); });
    if (error.find("nothing was loaded:") != std::string::npos) {
      EXPECT_EQ(program.values, before);
    }
    return error;
  }
};

TEST_F(Weights, NamesMatchAndAreFilled) {
  WeightTable t = table("a.{i}.b{j+1} = x\ninit *.mid.*, h.{i}*, *\n");
  const NamePattern& name = t.rules[0].parameter;
  TableIndices indices;
  ASSERT_TRUE(name.match("a.10.b3", indices));
  EXPECT_EQ(indices, (TableIndices{{"i", 10}, {"j", 2}}));
  EXPECT_EQ(name.fill(indices), "a.10.b3");
  EXPECT_EQ(name.text(), "a.{i}.b{j+1}");
  for (const char* other : {"a.1.b", "a..b1", "a.1.b0", "a.01.b1", "a.1.b1x", "xa.1.b1", "a.99999999999999999999.b1", ""}) {
    TableIndices none;
    EXPECT_FALSE(name.match(other, none)) << other;
    EXPECT_TRUE(none.empty());
  }
  auto matches = [&](size_t which, const char* text) { TableIndices none; return t.initial[which].match(text, none); };
  EXPECT_TRUE(matches(0, "a.mid.b"));
  EXPECT_TRUE(matches(0, "x.mid.mid."));
  EXPECT_FALSE(matches(0, "mid.b"));
  EXPECT_TRUE(matches(1, "h.3.attn.bias"));
  EXPECT_FALSE(matches(1, "h.x"));
  EXPECT_TRUE(matches(2, ""));
}

TEST_F(Weights, MistakesOfTheTextHaveLineAndColumn) {
  auto error = [&](const std::string& text) { return tableError(text); };
  EXPECT_THAT(error("a = \n\n  b c\n"), AllOf(HasSubstr("t.map:1:5: a name must stand here"),
                                             HasSubstr("\n  t.map:3:5: `=` and the tensor of the file must stand here")));
  EXPECT_THAT(error("w{q,k} = c.{x,y,z}"), HasSubstr("t.map:1:12: a list of 3, but the first of this line has 2"));
  EXPECT_THAT(error("w = c[D"), HasSubstr("1:8: `,` or `]` must stand here"));
  EXPECT_THAT(error("w = c[(D, H]"), HasSubstr("1:12: `,` or `)` must stand here"));
  EXPECT_THAT(error("w = c[3]"), HasSubstr("1:7: an axis of the file is made of dims"));
  EXPECT_THAT(error("w = c[11]"), HasSubstr("1:7: an axis of the file is made of dims"));
  EXPECT_THAT(error("w{q = c"), HasSubstr("1:2: `{` without a `}`"));
  EXPECT_THAT(error("w.{1} = c"), HasSubstr("1:3: an index is written"));
  EXPECT_THAT(error("w = \"c"), HasSubstr("1:5: a string without its end"));
  EXPECT_THAT(error("w = c d"), HasSubstr("1:7: `d` was not expected here"));
  EXPECT_THAT(error("w = 1e99"), HasSubstr("1:5: the number is out of range"));
  EXPECT_THAT(error("w = c[0 of 99999999999999999999]"), HasSubstr("1:12: a whole number must stand here"));
  EXPECT_THAT(error("make p : I65[1] = 0"), HasSubstr("1:10: `I65` is none of the dtypes"));
  EXPECT_THAT(error("make p : I64[P] = pos(Q)"), HasSubstr("1:23: `Q` is no size of its shape"));
  EXPECT_THAT(error("make p.{i} : I64[P] = 0"), HasSubstr("a tensor to make has one name"));
  EXPECT_THAT(error("make p : U8[1] = 256"), HasSubstr("256 is no U8"));
  EXPECT_THAT(error(std::string((1 << 20) + 1, ' ')), HasSubstr("a table has at most 1048576"));
  std::string many;
  for (int i = 0; i < 300; ++i) many += "a{" + std::string(255, ',') + "} = b\n";
  EXPECT_THAT(error(many), HasSubstr("a table has at most 20000 statements"));
  EXPECT_EQ(error(""), "");
  EXPECT_EQ(error("# nothing\r\n\"a b\" = \"c#d\" # \" {\r\ntie.w = base.x\r\n"), "");
}

TEST_F(Weights, FusedTensorsAreSplitAndJoined) {
  Program program = attention();
  Parameters parameters = program.parameters();
  std::vector<float> before = program.values;
  exportWeights(table(kAttention), parameters, dir / "x", "F32");
  std::vector<float> qkv = tensor(dir / "x", "h.1.qkv"), o = tensor(dir / "x", "h.0.o");
  ASSERT_EQ(qkv.size(), 4u * 18);
  auto of = [&](const std::string& name) {
    for (auto& t : parameters.tensors)
      if (t.name == name) return t.values;
    return static_cast<float*>(nullptr);
  };
  for (int d = 0; d < 4; ++d)
    for (int h = 0; h < 2; ++h)
      for (int k = 0; k < 3; ++k) {
        EXPECT_EQ(qkv[size_t(d * 18 + 0 * 6 + h * 3 + k)], of("h.1.wq")[d * 6 + h * 3 + k]);
        EXPECT_EQ(qkv[size_t(d * 18 + 2 * 6 + h * 3 + k)], of("h.1.wv")[d * 6 + h * 3 + k]);
        EXPECT_EQ(o[size_t(d * 6 + h * 3 + k)], of("h.0.wo")[(h * 3 + k) * 4 + d]);
      }
  std::fill(program.values.begin(), program.values.end(), 0.f);
  ImportedWeights imported = importWeights(table(kAttention), WeightFiles(dir / "x"), parameters);
  EXPECT_EQ(program.values, before);
  EXPECT_EQ(imported.tensors, 5);
  EXPECT_TRUE(imported.converted.empty());
}

TEST_F(Weights, AxesOfAnyKindComeBack) {
  Program program;
  program.add("a", {{"A", 2}, {"B", 3}});
  program.add("k", {{"D", 2}, {"G", 2}});
  program.add("q", {{"D", 2}, {"G", 2}, {"R", 3}});
  program.add("v", {{"D", 2}, {"G", 2}});
  program.add("s.{}.w", {{"L", 3}, {"D", 2}}, 1);
  program.add("j", {{"J", 3}, {"D", 2}});
  program.add("t", {{"V", 5}});
  program.add("one", {});
  program.add("fresh", {{"D", 2}});
  program.add("none", {{"D", 2}});
  WeightTable t = table(R"(
a = a[B, 1, A]                                          # transposed, with an axis of size 1
q = qkv[(G, R) at 0, D]                                 # groups of unequal size, one behind the other
k = qkv[G at G*R, D]
v = qkv[G at G*R + G, D]
s.{i}.w = stack[{i} of L, D]                            # layers stacked in the file,
j[J = {0,1,2}] = j.{a,b,c}                              # and parts of one parameter in several tensors
t[V = 0..3] = t
t[V = 3..V] = 0.5                                       # no file has these
one = one[1]
init fresh
none = 7
make ids : I64[2, V] = pos(V)
make mask : F32[] = 1.5
)");
  Parameters parameters = program.parameters();
  auto of = [&](const std::string& name) {
    for (auto& tensor : parameters.tensors)
      if (tensor.name == name) return tensor.values;
    return static_cast<float*>(nullptr);
  };
  EXPECT_THAT(errorOf([&] { exportWeights(t, parameters, dir / "x", "F32"); }),
              AllOf(HasSubstr("these parameters would be lost; nothing was written:"), HasSubstr("t: element 3 is "),
                    HasSubstr("but line 9 of t.map says 0.5"), HasSubstr("none: element 0 is"), HasSubstr("line 12")));
  EXPECT_FALSE(std::filesystem::exists(dir / "x"));
  of("t")[3] = of("t")[4] = 0.5f;
  of("none")[0] = of("none")[1] = 7;
  std::vector<float> before = program.values;
  EXPECT_THAT(exportWeights(t, parameters, dir / "x", "F32").left, ElementsAre("fresh"));
  SafetensorsFile file(dir / "x");
  EXPECT_THAT(file.find("a")->shape, ElementsAre(3, 1, 2));
  EXPECT_THAT(tensor(dir / "x", "a"), ElementsAre(of("a")[0], of("a")[3], of("a")[1], of("a")[4], of("a")[2], of("a")[5]));
  EXPECT_THAT(file.find("qkv")->shape, ElementsAre(10, 2));
  EXPECT_EQ(tensor(dir / "x", "qkv")[6 * 2 + 1], of("k")[1 * 2 + 0]);
  EXPECT_EQ(tensor(dir / "x", "qkv")[9 * 2 + 1], of("v")[1 * 2 + 1]);
  EXPECT_EQ(tensor(dir / "x", "stack")[2 * 2 + 1], of("s.2.w")[1]);
  EXPECT_EQ(tensor(dir / "x", "j.b")[1], of("j")[1 * 2 + 1]);
  EXPECT_THAT(file.find("t")->shape, ElementsAre(3));
  EXPECT_THAT(file.find("one")->shape, ElementsAre(1));
  EXPECT_EQ(file.find("fresh"), nullptr);
  int32_t ids[10];
  file.read(*file.find("ids"), HEDDLE_I32, ids);
  EXPECT_THAT(ids, ElementsAre(0, 1, 2, 3, 4, 0, 1, 2, 3, 4));
  EXPECT_THAT(tensor(dir / "x", "mask"), ElementsAre(1.5f));

  std::fill(program.values.begin(), program.values.end(), -1.f);
  EXPECT_THAT(importWeights(t, WeightFiles(dir / "x"), parameters).initial, ElementsAre("fresh"));
  EXPECT_EQ(of("fresh")[0], -1);
  of("fresh")[0] = before[size_t(of("fresh") - program.values.data())];
  of("fresh")[1] = before[size_t(of("fresh") - program.values.data()) + 1];
  EXPECT_EQ(program.values, before);
}

TEST_F(Weights, WhatATableGetsWrongIsListed) {
  std::string all = planError("wte = wte.weight[V, E]\n"
                              "h.{i}.wqq = x\n"
                              "h.{i}.wq = h.{j}.q\n"
                              "h.{i}.wk = h.{i}.k[D, K]\n"
                              "h.{i}.wv = h.{i}.v[D, H, (K, 3 of 3)]\n");
  EXPECT_THAT(all, HasSubstr("t.map:1:21: wte [V=5, D=4] has no dim `E`; did you mean V?"));
  EXPECT_THAT(all, HasSubstr("\n  t.map:2:1: the program has no parameter `h.{i}.wqq`; did you mean h.{i}.wq?"));
  EXPECT_THAT(all, HasSubstr("\n  t.map:3:12: the index `{j}` does not stand in the parameter's name"));
  EXPECT_THAT(all, HasSubstr("\n  t.map:4:20: `H` of h.0.wk [D=4, H=2, K=3] stands nowhere in the axes of the file (and so 1 more)"));
  EXPECT_THAT(all, HasSubstr("\n  t.map:5:30: 3 of 3: elements count from 0"));
  EXPECT_THAT(all, AllOf(HasSubstr("t.map: the parameter h.0.wo [H=2, K=3, D=4] has no rule"), HasSubstr("h.1.wo")));
}

TEST_F(Weights, EveryElementIsGivenOnce) {
  std::string rest = "h.{i}.w{k,v,o} = h.{i}.{k,v,o}\n";
  auto error = [&](const std::string& text) { return planError(text + rest); };
  EXPECT_EQ(error("wte = w\nh.{i}.wq = h.{i}.q\n"), "");
  EXPECT_THAT(error("wte = w\nwte = w2\nh.{i}.wq = h.{i}.q\n"),
              HasSubstr("t.map:2:1: the parameter wte [V=5, D=4]: element 0 is given twice, by the rules of lines 1, 2"));
  EXPECT_THAT(error("wte = w\nh.{i}.wq = h.{i}.k\n"),
              HasSubstr("t.map:3:1: `h.0.k` [4, 2, 3]: element 0 is given twice, by the rules of lines 2, 3 (and so 1 more)"));
  EXPECT_THAT(error("wte = w\nh.{i}.wq = h.{i}.q[D, (1 of 2, H, K)]\n"),
              HasSubstr("t.map:2:1: `h.0.q` [4, 12]: the rule of line 2 gives only 24 of its 48 elements"));
  EXPECT_THAT(error("wte[V = 1..V] = w\nh.{i}.wq = h.{i}.q\n"),
              HasSubstr("t.map:1:1: the parameter wte [V=5, D=4]: the rule of line 1 gives only 16 of its 20 elements"));
  EXPECT_THAT(error("wte = w\nh.{i}.wq = w\n"), HasSubstr("`w` has 3 axes here, but 2 in line 1"));
  EXPECT_THAT(error("wte = w[V, (D, 0 of 2)]\nwte = w[V, (D, 1 of 3)]\nh.{i}.wq = h.{i}.q\n"),
              HasSubstr("axis 1 of `w` has size 8 here, (D=4, 0 of 2), but 12 by another rule"));
  EXPECT_THAT(error("wte[V = 5] = w\nh.{i}.wq = h.{i}.q\n"), HasSubstr("t.map:1:9: V=5 has no element 5"));
  EXPECT_THAT(error("wte[V = 4..6] = w\nh.{i}.wq = h.{i}.q\n"), HasSubstr("t.map:1:9: 4..6 is no part of V=5"));
  EXPECT_THAT(error("wte[V = 0] = w[D, V]\nh.{i}.wq = h.{i}.q\n"), HasSubstr("`V` of wte stands twice, or one element of it was taken"));
  EXPECT_THAT(error("wte = w\ninit wte\nh.{i}.wq = h.{i}.q\n"), HasSubstr("t.map:1:1: wte has a rule, and `init` keeps its values"));
  EXPECT_THAT(error("wte = w\nh.{i}.wq = h.{i}.q\ntie x = y\n"), HasSubstr("t.map:3:9: no rule gives a tensor `y`"));
  EXPECT_THAT(error("wte = w\nh.{i}.wq = h.{i}.q\ntie w = h.0.q\n"), HasSubstr("t.map:3:5: `w` is given by another line too"));
  EXPECT_THAT(error("wte = w\nh.{i}.wq = h.{i}.q\nmake m : F32[Z] = 0\n"), HasSubstr("t.map:3:14: no parameter has a dim `Z`"));
}

TEST_F(Weights, AbsurdSizesCostNothing) {
  for (const char* size : {"9223372036854775807", "4611686018427387904 * 4", "1000000000000 * V * D"})
    EXPECT_THAT(planError(std::string("wte = w[V, (0 of ") + size + ", D)]"), testing::AnyOf(HasSubstr("the size is too large"), HasSubstr("gives only 20 of its")));
  EXPECT_THAT(planError("wte = w[V, D at 50000000000000000]"), HasSubstr("gives only 20 of its"));
  EXPECT_THAT(planError(std::string(kAttention) + "make m : I64[100000, 100000] = 0"), HasSubstr("at most 67108864 can be made"));
}

// Whatever the text, it is a table or an error of it.
TEST_F(Weights, MutatedTablesAreATableOrAnError) {
  const std::string seed = std::string(kAttention) + "base gpt = model\ntie lm = wte.weight\nignore *.{i}.mask, \"a b\"\n"
                           "make ids : I64[V, 2*D + 1] = pos(V)\nwte[V = 1..V] = x[(D, {i+1} of L) at 2*K, 1]\ninit h.*\nwte = -1.5\n";
  const std::string pieces[] = {"{", "}", ",", "[", "]", "(", ")", "=", "..", "*", "\"", "#", "\n", " of ", " at ", "{i}", "9223372036854775807", "-", "\xff", std::string(1, '\0')};
  std::mt19937 random(1);
  Program program = attention();
  int tables = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    std::string text = seed;
    for (uint32_t edits = 1 + random() % 4; edits > 0; --edits) {
      size_t at = random() % text.size(), count = random() % 6;
      if (random() % 2) text.erase(at, count);
      else text.insert(at, pieces[random() % std::size(pieces)]);
    }
    try {
      WeightTable parsed = table(text);
      ++tables;
      WeightPlan(parsed, program.parameters());
    } catch (const RunError& e) {
      ASSERT_EQ(e.exitCode, kData) << text;
    }
  }
  EXPECT_GT(tables, 200);
}

TEST_F(Weights, WhatAFileLacksAndHasTooMuchIsListed) {
  write(dir / "x", {{"wte.weigth", {5, 4}}, {"h.0.qkv", {4, 18}}, {"h.1.qkv", {18, 4}}, {"h.0.o", {4, 6}}, {"junk", {2}}});
  std::string error = importError(kAttention, dir / "x");
  EXPECT_THAT(error, HasSubstr("3: error: " + (dir / "x") + " does not fit by t.map; nothing was loaded:"));
  EXPECT_THAT(error, HasSubstr("\n  missing: wte.weight [5, 4], of line 1 of the table; did you mean wte.weigth?"));
  EXPECT_THAT(error, HasSubstr("\n  missing: h.1.o [4, 6], of line 3 of the table"));
  EXPECT_THAT(error, HasSubstr("\n  misshaped: h.1.qkv is [18, 4]; line 2 of the table wants [D=4, (0 of 3, H=2, K=3)] = [4, 18]"));
  EXPECT_THAT(error, AllOf(HasSubstr("\n  extra: junk F32 [2]"), HasSubstr("\n  extra: wte.weigth F32 [5, 4]")));
  write(dir / "i", {{"wte.weight", {5, 4}}}, 0, "I32");
  EXPECT_THAT(importError(kAttention, dir / "i"), HasSubstr("of another type: wte.weight is I32"));
}

TEST_F(Weights, IgnoredMadeAndTiedTensorsMayBeThere) {
  std::string text = std::string(kAttention) + "base = model\ntie lm_head = wte.weight\nignore *.mask\nmake ids : I64[V] = pos(V)\n";
  std::vector<std::pair<std::string, std::vector<int64_t>>> tensors = {
      {"h.0.qkv", {4, 18}}, {"h.1.qkv", {4, 18}}, {"h.0.o", {4, 6}}, {"h.1.o", {4, 6}}, {"h.0.mask", {9, 9}}, {"ids", {7}}};
  auto with = [&](std::vector<std::string> names) {
    auto all = tensors;
    for (auto& name : names) all.push_back({name, {5, 4}});
    write(dir / "x", all, 2.5f);
    return importError(text, dir / "x");
  };
  EXPECT_EQ(with({"wte.weight"}), "");
  EXPECT_EQ(with({"lm_head"}), "");  // under its other name alone
  EXPECT_EQ(with({"lm_head", "wte.weight"}), "");
  EXPECT_THAT(with({}), HasSubstr("missing: wte.weight"));
  SafetensorsWriter writer;
  std::vector<float> values(72, 1.f), others(20, 1.f);
  others[7] = 3;
  for (auto& [name, shape] : tensors)
    if (name[0] == 'h' && name != "h.0.mask") writer.add(name, HEDDLE_F32, shape, values.data());
  writer.add("wte.weight", HEDDLE_F32, {5, 4}, values.data());
  writer.add("lm_head", HEDDLE_F32, {5, 4}, others.data());
  writer.write(dir / "y");
  EXPECT_THAT(importError(text, dir / "y"), HasSubstr("'lm_head' is not 'wte.weight': element 7 is 3, not 1"));
}

TEST_F(Weights, PrefixesMayBeMissingInProgramAndFile) {
  std::string text = "base gpt = model\ngpt.wte = model.wte\ngpt.b = b\nignore model.x\n";
  for (bool inProgram : {false, true})
    for (bool inFile : {false, true}) {
      Program program;
      program.add(inProgram ? "gpt.wte" : "wte", {{"D", 2}});
      program.add(inProgram ? "gpt.b" : "b", {{"D", 2}});
      write(dir / "x", {{inFile ? "model.wte" : "wte", {2}}, {"b", {2}}, {inFile ? "model.x" : "x", {2}}}, 9);
      EXPECT_EQ(errorOf([&] { importWeights(table(text), WeightFiles(dir / "x"), program.parameters()); }), "");
      EXPECT_THAT(program.values, ElementsAre(9, 9, 9, 9));
      exportWeights(table(text), program.parameters(), dir / "y", "F32");
      EXPECT_NE(SafetensorsFile(dir / "y").find("model.wte"), nullptr);
    }
}

// Every value that a narrow type has is read exactly and written back.
TEST_F(Weights, NarrowTypesAreExact) {
  Program program;
  program.add("w", {{"N", 65536 - 2 * 1024}});
  for (const char* dtype : {"F16", "BF16"}) {
    std::vector<uint16_t> finite;
    uint16_t infinity = dtype[0] == 'F' ? 0x7C00 : 0x7F80;
    for (uint32_t bits = 0; bits < 65536; ++bits)
      if ((bits & infinity) != infinity) finite.push_back(uint16_t(bits));
    finite.resize(65536 - 2 * 1024, 1);  // as many as F16 has; BF16 has 1792 more
    SafetensorsWriter writer;
    writer.add("w", dtype, {int64_t(finite.size())}, [&](std::vector<char>& bytes) { memcpy(bytes.data(), finite.data(), bytes.size()); });
    writer.write(dir / "x");
    ImportedWeights imported = importWeights(table("w = w"), WeightFiles(dir / "x"), program.parameters());
    EXPECT_EQ(imported.converted, (std::map<std::string, int64_t>{{dtype, 1}}));
    for (size_t i = 0; i < finite.size(); ++i) {
      int exponent = finite[i] >> 10 & 31, fraction = finite[i] & 1023;
      double half = std::ldexp(exponent ? 1024 + fraction : fraction, (exponent ? exponent : 1) - 25) * (finite[i] >> 15 ? -1 : 1);
      float expected = dtype[0] == 'F' ? float(half) : std::bit_cast<float>(uint32_t(finite[i]) << 16);
      ASSERT_EQ(program.values[i], expected) << dtype << " " << finite[i];
    }
    exportWeights(table("w = w"), program.parameters(), dir / "y", dtype);
    EXPECT_EQ(readFile(dir / "y").substr(readFile(dir / "y").size() - finite.size() * 2),
              std::string(reinterpret_cast<const char*>(finite.data()), finite.size() * 2));
  }
}

TEST_F(Weights, NarrowTypesRoundToNearestEven) {
  Program program;
  program.add("w", {{"N", 6}});
  auto bits = [&](const char* dtype, std::vector<float> values) {
    program.values = values;
    exportWeights(table("w = w"), program.parameters(), dir / "x", dtype);
    std::vector<uint16_t> result(6);
    std::string text = readFile(dir / "x");
    memcpy(result.data(), text.data() + text.size() - 12, 12);
    return result;
  };
  EXPECT_THAT(bits("F16", {1 + 0x1p-11f, 1 + 3 * 0x1p-11f, -(1 + 0x1.1p-11f), 0x1p-25f, 0x1.8p-25f, 65519.f}),
              ElementsAre(0x3C00, 0x3C02, 0xBC01, 0, 1, 0x7BFF));
  EXPECT_THAT(bits("F16", {0x1.ffbp-15f, 0x1.ffcp-15f, -0.f, 1e-30f, 2049, 2051}),
              ElementsAre(0x03FF, 0x0400, 0x8000, 0, 0x6800, 0x6802));
  EXPECT_THAT(bits("BF16", {1 + 0x1p-8f, 1 + 3 * 0x1p-8f, -(1 + 0x1.1p-8f), 1e-40f, 0, 3}),
              ElementsAre(0x3F80, 0x3F82, 0xBF81, 0x0001, 0, 0x4040));
  writeFile(dir / "x", "old");
  EXPECT_THAT(errorOf([&] { bits("F16", {1, 2, 65520.f, 4, 5, 6}); }), HasSubstr("w: element 2 is 65520, which F16 cannot hold"));
  EXPECT_THAT(errorOf([&] { bits("BF16", {1, 2, 3.4e38f, 4, 5, 6}); }), HasSubstr("which BF16 cannot hold"));
  EXPECT_EQ(readFile(dir / "x"), "old");
}

TEST_F(Weights, ValuesThatAreNotFiniteAreRefused) {
  Program program;
  program.add("w", {{"N", 3}});
  write(dir / "x", {{"w", {3}}}, NAN);
  EXPECT_THAT(importError("w = w", dir / "x", program), HasSubstr("tensor 'w': element 0 is nan; nothing was loaded"));
}

TEST_F(Weights, ShardsAreOneFile) {
  write(dir / "a.safetensors", {{"wte.weight", {5, 4}}, {"h.0.qkv", {4, 18}}, {"h.1.qkv", {4, 18}}}, 1);
  write(dir / "b.safetensors", {{"h.0.o", {4, 6}}, {"h.1.o", {4, 6}}}, 2);
  auto index = [&](const std::string& map) {
    writeFile(dir / "i.json", "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {" + map + "}}");
    return importError(kAttention, dir / "i.json");
  };
  std::string a = R"("wte.weight": "a.safetensors", "h.0.qkv": "a.safetensors", "h.1.qkv": "a.safetensors")";
  std::string b = R"("h.0.o": "b.safetensors", "h.1.o": "b.safetensors")";
  EXPECT_EQ(index(a + "," + b), "");
  EXPECT_THAT(index(a), HasSubstr("missing: h.0.o"));
  EXPECT_THAT(index(b + R"(, "wte.weight": "a.safetensors", "h.0.qkv": "b.safetensors", "other": "a.safetensors")"),
              AllOf(HasSubstr("index and shards do not agree:"), HasSubstr("a.safetensors holds 'h.1.qkv', which the index does not list"),
                    HasSubstr("a.safetensors holds 'h.0.qkv', which the index seeks in b.safetensors"), HasSubstr("'other' is not in a.safetensors")));
  EXPECT_THAT(index(R"("x": "../a.safetensors")"), HasSubstr("it must be the name of a file beside the index"));
  EXPECT_THAT(index(R"("x": 3)"), HasSubstr("it must be the name of a file beside the index"));
  EXPECT_THAT(index(R"("x": "c.safetensors")"), HasSubstr("c.safetensors"));
  writeFile(dir / "i.json", "[]");
  EXPECT_THAT(importError(kAttention, dir / "i.json"), HasSubstr("has no weight_map"));
}

}  // namespace
}  // namespace heddle
