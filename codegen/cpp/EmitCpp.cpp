// The frame of the file: Highway includes it again for every target class, so kernels stand in a namespace per class. What
// all classes have in common is printed once; a kernel whose tiling differs is printed for each under #if.
#include "codegen/cpp/EmitCpp.h"
#include "codegen/ProgramTables.h"
#include "codegen/cpp/Identifiers.h"
#include "codegen/cpp/PlanPrinter.h"
#include "ir/kernel/KernelForm.h"
#include "runtime/Abi.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/TimeProfiler.h"

using namespace mlir;
using namespace heddle;

ArrayRef<const char *> heddle::cppFlags() {
  static const char *const flags[] = {
#define FLAG(text) text,
#include "codegen/cpp/CppFlags.def"
#undef FLAG
  };
  return flags;
}

namespace {
/// One function as each class has it: its text by class, empty where a class does not have it.
struct Printed {
  std::string comment;
  SmallVector<std::string> texts;
};
}  // namespace

/// `text` of the classes in `members`, under #if unless every class that is compiled is among them.
static void printGroups(const Printed &function, ArrayRef<const TargetInfo *> targets, std::string &out) {
  SmallVector<std::pair<std::string, std::string>> groups;  // text, condition
  for (auto [i, text] : llvm::enumerate(function.texts)) {
    if (text.empty()) continue;
    std::string condition = ("HWY_TARGET == HWY_" + targets[i]->highway).str();
    auto known = llvm::find_if(groups, [&](auto &group) { return group.first == text; });
    if (known == groups.end()) groups.push_back({text, condition});
    else known->second += " || " + condition;
  }
  out += function.comment;
  bool everywhere = groups.size() == 1 && llvm::none_of(function.texts, [](auto &t) { return t.empty(); }) &&
                    targets.size() == targetClasses().size();
  if (everywhere) {
    out += groups[0].first + "\n";
    return;
  }
  for (auto [i, group] : llvm::enumerate(groups)) out += (i ? "#elif " : "#if ") + group.second + "\n" + group.first;
  out += "#endif\n\n";
}

/// Checks the modules and names their classes.
static llvm::Expected<SmallVector<const TargetInfo *>> checkClasses(ArrayRef<ModuleOp> classes) {
  SmallVector<const TargetInfo *> targets;
  for (ModuleOp module : classes) {
    auto name = module->getAttrOfType<StringAttr>("heddle.target");
    const TargetInfo *target = name ? findTargetClass(name) : nullptr;
    if (!target) return llvm::createStringError("a module in kernel form names its target class");
    if (failed(verifyKernelForm(module, *target)))
      return llvm::createStringError("the module is not in kernel form (see the messages above)");
    targets.push_back(target);
  }
  return targets;
}

static std::string printHeader(const ProgramTables &tables, ArrayRef<const TargetInfo *> targets,
                               const std::string &fileName) {
  std::string flags;
  for (const char *flag : cppFlags()) flags += std::string(flag) + " ";
  std::string disabled = "HWY_SCALAR | HWY_SSSE3 | HWY_AVX3_DL";
  for (const TargetInfo &info : targetClasses())
    if (!llvm::is_contained(targets, &info) && info.vscale > 1) disabled += (" | HWY_" + info.highway).str();
  std::string name = cppComment(tables.program().name);
  return "// " + (name.empty() ? "A program" : name) +
         ", written by heddle: kernels, then the plan that calls them.\n"
         "//\n"
         "// A kernel computes tiles [begin, end) of its result; args are its buffers, row-major. Floats is a register of\n"
         "// kLanes floats; runtime/Kernel.h has the other words. The runtime (runtime/Abi.h) runs the plan at the end.\n"
         "//\n"
         "// c++ " + flags + "-iquote . -I PREFIX/include " + fileName +
         " libheddle_runtime.a -static -pthread\n"
         "#define HWY_DISABLE_PCLMUL_AES  // not in the baseline, x86-64-v2\n"
         "#define HWY_DISABLED_TARGETS (" + disabled + ")\n"
         "#undef HWY_TARGET_INCLUDE\n"
         "#define HWY_TARGET_INCLUDE \"" + fileName + "\"\n"
         "#include <hwy/foreach_target.h>\n"
         "#include \"runtime/Kernel.h\"\n"
         "#include \"runtime/Abi.h\"\n"
         "#include \"runtime/NativeMain.h\"\n"
         "#if HEDDLE_ABI_VERSION != " + std::to_string(HEDDLE_ABI_VERSION) + "\n"
         "#error \"emitted by Heddle " HEDDLE_VERSION ", for another ABI than that of these headers: emit it again\"\n"
         "#endif\n\n"
         "HWY_BEFORE_NAMESPACE();\n"
         "namespace heddle {\n"
         "namespace HWY_NAMESPACE {\n\n";
}

llvm::Expected<std::string> heddle::emitCpp(ArrayRef<ModuleOp> classes, const CppOptions &options) {
  auto targets = checkClasses(classes);
  if (!targets) return targets.takeError();
  ProgramTables tables(classes);

  llvm::StringMap<std::string> names;
  NameScope scope;
  for (ModuleOp module : classes)
    for (auto function : module.getOps<func::FuncOp>())
      if (!names.contains(function.getName())) names[function.getName()] = scope.fresh(function.getName());

  llvm::MapVector<StringRef, Printed> lanes, kernels;  // in order of first appearance
  for (size_t i = 0; i < classes.size(); ++i)
    for (auto function : ModuleOp(classes[i]).getOps<func::FuncOp>()) {
      Printed &printed = (isLaneFunction(function) ? lanes : kernels)[function.getName()];
      printed.texts.resize(classes.size());
      llvm::TimeTraceScope scope("print", [&] { return ((*targets)[i]->name + " " + function.getName()).str(); });
      PrintedFunction text = printKernel(function, *(*targets)[i], names, options.sourceLine);
      printed.comment = text.comment;
      printed.texts[i] = text.code;
    }

  std::string out = printHeader(tables, *targets, options.fileName);
  if (!lanes.empty()) out += "// ---- functions of one register of numbers\n\n";
  for (auto &[name, function] : lanes) printGroups(function, *targets, out);
  out += "// ---- kernels\n\n";
  for (auto &[name, function] : kernels) printGroups(function, *targets, out);
  SmallVector<std::string> namespaces;
  for (const TargetInfo *target : *targets) namespaces.push_back(("N_" + target->highway).str());
  out += "}  // namespace HWY_NAMESPACE\n"
         "}  // namespace heddle\n"
         "HWY_AFTER_NAMESPACE();\n\n"
         "#if HWY_ONCE\n"
         "namespace {\n" +
         printPlan(tables.program(), classes, namespaces, names) +
         "}  // namespace\n\n"
         "#ifdef HEDDLE_AS_LIBRARY\n"
         "extern \"C\" const HeddleProgram* heddle_program() { return &kProgram; }\n"
         "#else\n"
         "int main(int argc, char** argv) { return heddle::nativeMain(kProgram, argc, argv); }\n"
         "#endif\n"
         "#endif  // HWY_ONCE\n";
  return out;
}
