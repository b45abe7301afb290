// Words that an emitted name must not be: C++'s own, macros in lower case, and every function and type that emitted code
// calls by an unqualified name.
#include "codegen/cpp/Identifiers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace heddle;
using llvm::StringRef;

static bool isReserved(StringRef word) {
  static const llvm::StringSet<> words = [] {
    llvm::StringSet<> set;
    StringRef text =
        // C++20
        "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class "
        "compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype "
        "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline "
        "int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register "
        "reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template "
        "this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t "
        "while xor xor_eq "
        // macros and functions of the C library that are not in upper case
        "assert errno stdin stdout stderr linux unix offsetof main std abs exp log sin cos tanh erf pow sqrt floor ceil "
        "trunc round fma log1p expm1 index "
        // emitted code's own names
        "heddle hwy hn df di du d1 args loops begin end memory scratch kLanes kInfinity kNaN kProgram Floats Ints Mask Words "
        "Pair Splat LaneIndex FirstLanes AllLanes NoLanes IntMask Select NotEqual Equal Less LessEqual Greater "
        "GreaterEqual LessUnsigned LessEqualUnsigned GreaterUnsigned GreaterEqualUnsigned Load Store MaskedLoad "
        "MaskedStore Gather Prefetch ToFloat ToInt BitCast ShiftLeft ShiftRight ShiftRightLogical MulHigh SumOf LargerFloat "
        "SmallerFloat LargerInt SmallerInt HalvingTree ReduceAdd ReduceMax ReduceMin Interleave Even Odd MulAdd Sqrt "
        "Abs CopySign Floor Ceil Trunc Round Neg And Or Xor Not Min Max int32_t int64_t uint32_t uint64_t size_t";
    llvm::SmallVector<StringRef> list;
    text.split(list, ' ');
    for (StringRef w : list) set.insert(w);
    return set;
  }();
  return words.contains(word);
}

std::string heddle::cppIdentifier(StringRef name) {
  std::string id;
  for (char c : name) {
    bool keep = llvm::isAlnum(c) && static_cast<unsigned char>(c) < 0x80;
    if (keep) id += c;
    else if (!id.empty() && id.back() != '_') id += '_';
  }
  while (!id.empty() && id.back() == '_') id.pop_back();
  if (id.size() > 60) id.resize(60);
  if (id.empty()) id = "value";
  if (llvm::isDigit(id[0])) id = "v" + id;
  // Macros are in upper case: HWY_..., INT_MAX, EOF. One letter is none (complex.h is C).
  bool macroLike = id.size() > 1 && llvm::none_of(id, [](char c) { return llvm::isLower(c); });
  if (macroLike || isReserved(id)) id += '_';
  return id;
}

std::string NameScope::fresh(StringRef name) {
  std::string base = cppIdentifier(name);
  unsigned &count = taken[base];
  if (count++ == 0) return base;
  while (true) {
    std::string next = base + (base.back() == '_' ? "" : "_") + std::to_string(count);
    if (taken.try_emplace(next, 1).second) return next;
    ++taken[base];
  }
}

std::string heddle::cppString(StringRef text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= 0x20 && c < 0x7f) {
      out += c;
    } else {
      unsigned char u = c;
      out += {'\\', char('0' + (u >> 6)), char('0' + ((u >> 3) & 7)), char('0' + (u & 7))};
    }
  }
  return out + '"';
}

std::string heddle::cppComment(StringRef text) {
  std::string out;
  for (char c : text) out += c == '\\' ? '/' : (c >= 0x20 && c < 0x7f) ? c : '?';
  return out;
}
