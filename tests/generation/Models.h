// The models of models.heddle, each as a program that generates.
#pragma once
#include "codegen/llvm/Jit.h"
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace heddle {

struct Generator {
  std::string name;   // Gpt
  std::string kind = "text";   // of the data source
  std::string fields = "data.ids";  // arguments of the model
  std::string where = "";  // of the cross entropy
};

inline void PrintTo(const Generator &model, std::ostream *out) { *out << model.name; }

/// Those that `decode` is derived for.
std::vector<Generator> generators();

/// The entries `sample` and `decode` of a model, compiled for a class that this machine runs; null after a failure of the
/// test. `remarks` is what passes said of generation.
std::unique_ptr<JitProgram> compileGenerator(const Generator &model, const std::string &targetClass, std::string *remarks = nullptr);

}  // namespace heddle
