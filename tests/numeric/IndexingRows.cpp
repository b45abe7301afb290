// Rows of gather, scatter_add, rename, regroup and concat.
#include "tests/numeric/OpTable.h"

using namespace heddle;

namespace {
std::string label(const std::string &op, Shape s) {
  return op + "[" + std::to_string(s.a) + "x" + std::to_string(s.b) + "]";
}
std::string size(const char *name, int64_t value) { return std::string(name) + "=" + std::to_string(value); }
}  // namespace

std::vector<OpRow> heddle::indexingRows() {
  return {
      {"gather", true,
       [](Shape s, std::vector<Case> &out) {
         std::string a = size("A", s.a), b = size("B", s.b), v = size("V", s.a + 2), t = size("T", 4);
         double last = s.a + 1;
         auto add = [&](const std::string &name, std::string x, std::string index, std::string result) {
           double high = x[0] == 'b' ? 1 : 4;
           out.push_back(opCase(label("gather " + name, s), "gather %a0[\"V\" = %a1]",
                                {{x, x[0] == 'b' ? 0.0 : -4.0, high}, {index, 0, last}}, result, exact()));
         };
         add("rows", "f[" + v + ", " + b + "]", "i[" + a + ", " + t + "]", "f[" + a + ", " + t + ", " + b + "]");
         add("columns", "f[" + b + ", " + v + "]", "i[" + t + "]", "f[" + b + ", " + t + "]");
         add("pointwise", "f[" + b + ", " + v + "]", "i[" + b + "]", "f[" + b + "]");
         add("one", "f[" + v + ", " + b + "]", "i[]", "f[" + b + "]");
         add("rows i", "i[" + v + ", " + b + "]", "i[" + t + "]", "i[" + t + ", " + b + "]");
         add("rows b", "b[" + v + ", " + b + "]", "i[" + t + "]", "b[" + t + ", " + b + "]");
       }},
      {"scatter_add", true,
       [](Shape s, std::vector<Case> &out) {
         std::string a = size("A", s.a), b = size("B", s.b), v = size("V", s.a + 2), t = size("T", 4);
         double last = s.a + 1;
         auto add = [&](const std::string &name, std::string updates, std::string index, std::string result, double n) {
           out.push_back(opCase(label("scatter_add " + name, s), "scatter_add %a0[\"V\" = %a1]",
                                {{updates, -4, 4}, {index, 0, last}}, result, magnitude(n)));
         };
         add("rows", "f[" + a + ", " + t + ", " + b + "]", "i[" + a + ", " + t + "]", "f[" + v + ", " + b + "]", s.a * 4);
         add("columns", "f[" + t + ", " + b + "]", "i[" + t + "]", "f[" + b + ", " + v + "]", 4);
         add("pointwise", "f[" + b + "]", "i[" + b + "]", "f[" + b + ", " + v + "]", 1);
         // x @ y + scatter_add(u): the gradient of a table that is embedding and output layer.
         std::string k = size("K", 5), table = "!f[" + v + ", " + b + "]", u = "!f[" + t + ", " + b + "]", i = "!i[" + t + "]";
         std::string x = "!f[" + v + ", " + k + "]", y = "!f[" + k + ", " + b + "]";
         Case onto{label("scatter_add onto", s), "", {}, magnitude(5 + 4)};
         onto.text = "func.func @f(%x: " + x + ", %y: " + y + ", %u: " + u + ", %i: " + i + ") -> " + table + " {\n" +
                     "  %p = heddle.contract %x, %y over [\"K\"] : (" + x + ", " + y + ") -> " + table + "\n" +
                     "  %s = heddle.scatter_add %u[\"V\" = %i] : (" + u + ", " + i + ") -> " + table + "\n" +
                     "  %r = heddle.add %p, %s : (" + table + ", " + table + ") -> " + table + "\n  return %r : " + table + "\n}\n";
         std::vector<Argument> arguments{{x.substr(1), -4, 4}, {y.substr(1), -4, 4}, {u.substr(1), -4, 4}, {i.substr(1), 0, last}};
         for (const Argument &argument : arguments)
           onto.inputs.push_back(randomArray(argument, onto.name + std::to_string(onto.inputs.size())));
         out.push_back(onto);
       }},
      {"rename", true,
       [](Shape s, std::vector<Case> &out) {
         std::string a = size("A", s.a), b = size("B", s.b), c = size("C", s.a);
         for (std::string element : {"f", "i", "b"}) {
           double low = element == "b" ? 0 : -4, high = element == "b" ? 1 : 4;
           out.push_back(opCase(label("rename " + element, s), "rename %a0[\"A\" -> \"C\"]",
                                {{element + "[" + a + ", " + b + "]", low, high}}, element + "[" + c + ", " + b + "]", exact()));
         }
       }},
      {"regroup", true,
       [](Shape s, std::vector<Case> &out) {
         std::string a = size("A", s.a), b = size("B", s.b), c = size("C", 3), n = size("N", s.a * 3);
         for (std::string element : {"f", "i", "b"}) {
           double low = element == "b" ? 0 : -4, high = element == "b" ? 1 : 4;
           auto add = [&](const std::string &name, std::string op, std::string x, std::string result) {
             out.push_back(opCase(label("regroup " + name + element, s), "regroup %a0 " + op, {{element + x, low, high}},
                                  element + result, exact()));
           };
           add("split ", R"(["N"] to ["A", "C"])", "[" + n + ", " + b + "]", "[" + a + ", " + c + ", " + b + "]");
           add("split last ", R"(["N"] to ["A", "C"])", "[" + b + ", " + n + "]", "[" + b + ", " + a + ", " + c + "]");
           add("merge ", R"(["A", "C"] to ["N"])", "[" + a + ", " + c + ", " + b + "]", "[" + n + ", " + b + "]");
           add("merge apart ", R"(["C", "A"] to ["N"])", "[" + a + ", " + b + ", " + c + "]", "[" + b + ", " + n + "]");
           add("anew ", R"(["A", "C"] to ["C2", "A2"])", "[" + a + ", " + c + ", " + b + "]",
               "[" + size("C2", 3) + ", " + b + ", " + size("A2", s.a) + "]");
         }
       }},
      {"concat", true,
       [](Shape s, std::vector<Case> &out) {
         std::string a = size("A", s.a), b = size("B", s.b), n = size("N", 3), t = size("T", s.a + 3);
         for (std::string element : {"f", "i", "b"}) {
           double low = element == "b" ? 0 : -4, high = element == "b" ? 1 : 4;
           auto add = [&](const std::string &name, std::string op, std::vector<std::string> pieces, std::string result) {
             std::vector<Argument> operands;
             for (std::string &piece : pieces) operands.push_back({element + piece, low, high});
             out.push_back(opCase(label("concat " + name + element, s), op, operands, element + result, exact()));
           };
           add("rows ", R"(concat %a0, %a1 over ["A", "N"] to "T")", {"[" + a + ", " + b + "]", "[" + n + ", " + b + "]"},
               "[" + t + ", " + b + "]");
           add("columns ", R"(concat %a0, %a1 over ["N", "A"] to "T")", {"[" + b + ", " + n + "]", "[" + b + ", " + a + "]"},
               "[" + b + ", " + t + "]");
           add("one ", R"(concat %a0, %a1, %a2 over ["", "A", ""] to "T")", {"[" + b + "]", "[" + b + ", " + a + "]", "[" + b + "]"},
               "[" + b + ", " + size("T", s.a + 2) + "]");
         }
       }},
  };
}
