// Prints the tables bottom up: what is pointed at stands before. Tables that are alike (the target classes share offsets,
// inputs and outputs, and often the numbers of tiles) are printed once.
#include "codegen/cpp/PlanPrinter.h"
#include "codegen/ProgramTables.h"
#include "codegen/cpp/Identifiers.h"
#include "ir/graph/Heddle.h"
#include <charconv>

using namespace mlir;
using namespace heddle;

static std::string number(double value) {
  char digits[40];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

namespace {
class PlanPrinter {
 public:
  PlanPrinter(const HeddleProgram &program, ArrayRef<ModuleOp> classes, ArrayRef<std::string> namespaces,
              const llvm::StringMap<std::string> &names)
      : program(program), classes(classes), namespaces(namespaces), names(names) {}

  std::string print() {
    std::string rows;
    for (int32_t i = 0; i < program.variable_count; ++i) rows += variable(program.variables[i]);
    std::string variables = program.variable_count ? table("HeddleVariable", "kVariables", rows) : "nullptr";
    rows.clear();
    for (int32_t t = 0; t < program.target_count; ++t) rows += target(t);
    std::string targets = table("HeddleTarget", "kTargets", rows);
    return out + "const HeddleProgram kProgram = {\n    HEDDLE_ABI_VERSION, " + cppString(program.name) + ", " +
           cppString(program.hash) + ",\n    " + cppString(program.config) + ",\n    " +
           std::to_string(program.variable_count) + ", " + variables + ", " + std::to_string(program.variables_bytes) +
           ",  // bytes of variables\n    " + std::to_string(program.target_count) + ", " + targets + "};\n";
  }

 private:
  /// Defines `const TYPE NAME[] = {rows}` unless a table with these rows exists; gives the name of the table.
  std::string table(StringRef type, StringRef name, const std::string &rows) {
    if (rows.empty()) return "nullptr";
    std::string &known = tables[(type + "\n" + rows).str()];
    if (!known.empty()) return known;
    known = scope.fresh(name);
    out += ("const " + type + " " + known + "[] = {\n" + rows + "};\n").str();
    return known;
  }
  std::string dims(const HeddleDim *list, int32_t rank) {
    if (rank == 0) return "nullptr";
    std::string row = "   ", name = "k";
    for (int32_t i = 0; i < rank; ++i) {
      row += " {" + cppString(list[i].name) + ", " + std::to_string(list[i].size) + "},";
      name += cppIdentifier(list[i].name) + "_";
    }
    return table("HeddleDim", name + "dims", row + "\n");
  }
  static const char *typeName(int32_t type) {
    return type == HEDDLE_F32 ? "HEDDLE_F32" : type == HEDDLE_I32 ? "HEDDLE_I32" : "HEDDLE_BOOL";
  }

  std::string variable(const HeddleVariable &v) {
    static const char *const kinds[] = {"HEDDLE_PARAMETER", "HEDDLE_OPTIMIZER", "HEDDLE_STATE", "HEDDLE_CACHE"};
    static const char *const inits[] = {"HEDDLE_CONSTANT", "HEDDLE_NORMAL", "HEDDLE_UNIFORM"};
    return "    {" + cppString(v.name) + ", " + kinds[v.kind] + ", " + typeName(v.type) + ", " + std::to_string(v.rank) +
           ", " + std::to_string(v.repeats) + ", " + dims(v.dims, v.rank) + ", " + std::to_string(v.offset) + ", " +
           inits[v.init] + ", " + number(v.a) + ", " + number(v.b) + ", " + std::to_string(v.stream) + "u, " +
           std::to_string(v.frozen) + "},\n";
  }

  std::string target(int32_t t) {
    const HeddleTarget &target = program.targets[t];
    out += "\n// ---- the plan for " + std::string(target.name) + "\n";
    std::string kernels, kernelNames, work, entries;
    for (int32_t i = 0; i < target.kernel_count; ++i) {
      kernels += "    heddle::" + namespaces[t] + "::" + names.lookup(target.kernel_names[i]) + ",  // " +
                 std::to_string(i) + "\n";
      kernelNames += "    " + cppString(target.kernel_names[i]) + ",\n";
      const HeddleWork &of = target.kernel_work[i];
      work += "    {" + std::to_string(of.flops) + ", " + std::to_string(of.bytes) + "},\n";
    }
    std::string suffix = std::string("_") + target.name;
    std::string kernelTable = table("HeddleKernel", "kKernels" + suffix, kernels);
    std::string nameTable = table("char* const", "kKernelNames", kernelNames);
    std::string workTable = table("HeddleWork", "kKernelWork" + suffix, work);
    for (int32_t i = 0; i < target.entry_count; ++i) entries += entry(target, target.entries[i], classes[t]);
    std::string entryTable = table("HeddleEntry", "kEntries" + suffix, entries);
    return "    {" + cppString(target.name) + ", " + std::to_string(target.kernel_count) + ", " + kernelTable + ", " +
           nameTable + ", " + std::to_string(target.entry_count) + ", " + entryTable + ", " + workTable + "},\n";
  }

  std::string buffers(const HeddleBuffer *list, int32_t count, const std::string &name) {
    std::string rows;
    for (int32_t i = 0; i < count; ++i) {
      const HeddleBuffer &b = list[i];
      rows += "    {" + cppString(b.name) + ", " + typeName(b.type) + ", " + std::to_string(b.rank) + ", " +
              std::to_string(b.repeats) + ", " + dims(b.dims, b.rank) + ", " + std::to_string(b.offset) + "},\n";
    }
    return table("HeddleBuffer", name, rows);
  }

  std::string entry(const HeddleTarget &target, const HeddleEntry &entry, ModuleOp module) {
    std::string name = "k_" + cppIdentifier(entry.name);
    std::string inputs = buffers(entry.inputs, entry.input_count, name + "_inputs");
    std::string outputs = buffers(entry.outputs, entry.output_count, name + "_outputs");
    std::string args = arguments(target, entry, module, name + "_args");
    std::string steps = stepTable(target, entry, name + "_steps", args);
    return "    {" + cppString(entry.name) + ", " + std::to_string(entry.input_count) + ", " + inputs + ", " +
           std::to_string(entry.output_count) + ", " + outputs + ", " + std::to_string(entry.step_count) + ", " + steps +
           ",\n     " + std::to_string(entry.workspace_bytes) + " /* workspace */, " +
           std::to_string(entry.scratch_bytes) + " /* scratch */, " + std::to_string(entry.flops) + " /* flops */},\n";
  }

  /// One table of the arguments of all calls of an entry, call after call.
  std::string arguments(const HeddleTarget &target, const HeddleEntry &entry, ModuleOp module, StringRef name) {
    std::string rows;
    for (int32_t s = 0; s < entry.step_count; ++s) {
      const HeddleStep &step = entry.steps[s];
      if (step.kind != HEDDLE_CALL || step.arg_count == 0) continue;
      StringRef kernel = target.kernel_names[step.kernel];
      auto argNames = module.lookupSymbol(kernel)->getAttrOfType<ArrayAttr>("heddle.arg_names");
      rows += "    // " + names.lookup(kernel) + "\n";
      for (int32_t i = 0; i < step.arg_count; ++i) {
        const HeddleArg &arg = step.args[i];
        std::string row = std::string("    {") + (arg.space == HEDDLE_VARIABLES ? "HEDDLE_VARIABLES" : "HEDDLE_WORKSPACE") +
                          ", " + std::to_string(arg.offset) + ", {" + strides(arg) + "}" +
                          (arg.floats ? ", " + std::to_string(arg.floats) : "") + "},";
        if (argNames) row += "  // " + cppComment(cast<StringAttr>(argNames[i]).getValue());
        rows += row + "\n";
      }
    }
    return table("HeddleArg", name, rows);
  }
  static std::string strides(const HeddleArg &arg) {
    int last = HEDDLE_MAX_LOOPS;
    while (last > 0 && arg.stride[last - 1] == 0) --last;
    std::string text;
    for (int i = 0; i < last; ++i) text += (i ? ", " : "") + std::to_string(arg.stride[i]);
    return text;
  }

  std::string stepTable(const HeddleTarget &target, const HeddleEntry &entry, StringRef name, const std::string &args) {
    std::string rows;
    int depth = 0;
    int64_t next = 0;
    for (int32_t s = 0; s < entry.step_count; ++s) {
      const HeddleStep &step = entry.steps[s];
      if (step.kind == HEDDLE_END) --depth;
      std::string indent(4 + 2 * depth, ' ');
      std::string where = cppString(step.where ? step.where : "");
      if (step.kind == HEDDLE_CALL) {
        std::string at = step.arg_count ? args + " + " + std::to_string(next) : "nullptr";
        rows += indent + "{HEDDLE_CALL, " + std::to_string(step.kernel) + ", " + std::to_string(step.count) + ", " +
                std::to_string(step.arg_count) + ", " + at + ", " + where + "},  // " +
                names.lookup(target.kernel_names[step.kernel]) + "\n";
        next += step.arg_count;
      } else if (step.kind == HEDDLE_END) {
        rows += indent + "{HEDDLE_END, 0, 0, 0, nullptr, \"\"},\n";
      } else {
        rows += indent + (step.kind == HEDDLE_LOOP ? "{HEDDLE_LOOP, 0, " : "{HEDDLE_REVERSE_LOOP, 0, ") +
                std::to_string(step.count) + ", 0, nullptr, " + where +
                (step.name ? ", " + cppString(step.name) : "") + "},\n";
        ++depth;
      }
    }
    return table("HeddleStep", name, rows);
  }

  const HeddleProgram &program;
  ArrayRef<ModuleOp> classes;
  ArrayRef<std::string> namespaces;
  const llvm::StringMap<std::string> &names;
  llvm::StringMap<std::string> tables;
  NameScope scope;
  std::string out;
};
}  // namespace

std::string heddle::printPlan(const HeddleProgram &program, ArrayRef<ModuleOp> classes, ArrayRef<std::string> namespaces,
                              const llvm::StringMap<std::string> &names) {
  return PlanPrinter(program, classes, namespaces, names).print();
}
