// A program whose losses are exact in f32, trained for two steps by each door: w and x are ones, the loss is the sum of the
// squares of five products, and a step of 0.25 halves w. So it is 5 and then 1.25, whatever the order of the sum.
#include "tools/heddle/Doctor.h"
#include "tools/heddle/Door.h"
#include "tools/heddle/SubCommand.h"

#include "codegen/cpp/CppCompiler.h"
#include "codegen/cpp/NativeBuild.h"
#include "codegen/cpp/TemporaryFolder.h"
#include "frontend/BuildGraph.h"
#include "frontend/Parser.h"
#include "runtime/RunError.h"
#include "runtime/Safetensors.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>

namespace heddle {

namespace {

constexpr const char *trialText = R"(heddle 1
dim B, N = 5
module Trial(x: f32[B,N]) -> f32[] {
  param w: f32[N] ~ ones
  y = w * x
  return sum(y * y, over B, N)
}
train trial {
  data = tensors("x.safetensors", x: f32[B,N])
  size B = 1
  loss l = Trial(data.x)
  minimise l
  optim = sgd(lr = 0.25)
  steps = 2
}
)";
constexpr float trialInput[] = {1, 1, 1, 1, 1};
constexpr float trialLosses[] = {5.0f, 1.25f};

/// The trial as a graph. False after saying what is wrong with it: a bug.
bool buildTrial(Compilation &compilation) {
  const Source &source = compilation.parsed.sources.add("trial.heddle", trialText);
  Diagnostics &diagnostics = compilation.parsed.diagnostics;
  compilation.parsed.file = parse(source, diagnostics);
  compilation.module = buildTrain(*compilation.parsed.file, "", diagnostics, compilation.context, BuildSettings());
  printDiagnostics(diagnostics);
  return bool(compilation.module);
}

const TargetInfo *bestTarget() {
  try {
    return findTargetClass(chooseTargetClass());
  } catch (const RunError &) {
    return nullptr; // checkProcessor says so
  }
}

std::string wrongLosses(const std::vector<float> &losses) {
  if (std::equal(losses.begin(), losses.end(), std::begin(trialLosses), std::end(trialLosses)))
    return "";
  return fmt::format("its losses are {}, not {}", fmt::join(losses, " and "), fmt::join(trialLosses, " and "));
}

/// Trains two steps in this process; what is wrong, or nothing.
std::string trainByJit(const TargetInfo &target) {
  Compilation compilation;
  if (!buildTrial(compilation))
    return "the program of the trial does not compile";
  int code = exitDone;
  std::unique_ptr<LoadedProgram> loaded = loadByJit(compilation, target, code, ObjectCache(""));
  if (!loaded)
    return "a kernel cannot be made in memory";
  Session session(loaded->program(), 2, target.name.str());
  session.initialise(0);
  std::vector<float> losses;
  const HeddleEntry &entry = session.entry("train");
  for (int64_t step = 1; step <= 2; ++step) {
    session.setCounters(entry, step, 0);
    std::copy(std::begin(trialInput), std::end(trialInput),
              static_cast<float *>(session.memory(*session.findInput(entry, "data.x"))));
    session.run(entry);
    losses.push_back(session.scalar(*session.findOutput(entry, "loss.l")));
  }
  return wrongLosses(losses);
}

std::vector<float> lossesOf(const std::string &run) {
  std::vector<float> losses;
  std::ifstream metrics(run + "/metrics.jsonl");
  std::string key = "\"l\":";
  for (std::string line; std::getline(metrics, line);)
    if (size_t at = line.find(key); at != std::string::npos)
      losses.push_back(std::strtof(line.c_str() + at + key.size(), nullptr));
  return losses;
}

/// The same as a native program.
Finding tryNativeProgram(const TemporaryFolder &folder, const TargetInfo &target) {
  Finding finding{"native program", Finding::missing, "", "", true};
  llvm::Expected<NativeParts> parts = findNativeParts(ownExecutable());
  if (!parts) {
    llvm::consumeError(parts.takeError());
    finding.found = "not tried: parts of it are missing or wrong (see above)";
    return finding;
  }
  Compilation compilation;
  std::string text, program = folder.file("trial"), run = folder.file("run");
  if (!buildTrial(compilation) || cppOf(compilation, {&target}, text) != exitDone) {
    finding.found = "the program of the trial does not compile";
    return finding;
  }
  finding.mend = "install Heddle again; if that does not help, read what the compiler says";
  if (llvm::Error error = buildNative(text, *parts, program)) {
    finding.found = llvm::toString(std::move(error));
    return finding;
  }
  SafetensorsWriter input;
  input.add("x", HEDDLE_F32, {1, 5}, trialInput);
  input.write(folder.file("x.safetensors"));
  ChildEnd end = runChild(std::vector<std::string>{program, "train", "--out", run, "--data", folder.file("x.safetensors")},
                          folder.path());
  finding.found = !end.notStarted.empty() ? "it was built, but cannot be run: " + end.notStarted
                  : !end.succeeded()      ? "it was built, but fails: " + end.output
                                          : wrongLosses(lossesOf(run));
  if (finding.found.empty())
    return {"native program", Finding::ok, "built, and trains two steps", "", true};
  return finding;
}

/// Does the compiler link a C++ program statically, and does that run?
Finding tryStaticProgram(const TemporaryFolder &folder, const CppCompiler &compiler) {
  Finding finding{"static linking", Finding::missing, "", "install the static C and C++ libraries (Debian: g++, libc6-dev)", true};
  std::string source = folder.file("static.cpp"), program = folder.file("static");
  std::ofstream(source) << "#include <string>\n#include <vector>\nint main(int argc, char **) {\n"
                           "  return std::vector<std::string>(argc, \"x\").size() == 1 ? 0 : 1;\n}\n";
  if (llvm::Error error = runCompiler(compiler, {"-std=c++17", "-static", "-pthread", source, "-o", program}, folder)) {
    finding.found = llvm::toString(std::move(error));
    return finding;
  }
  ChildEnd end = runChild(std::vector<std::string>{program}, folder.path());
  if (end.succeeded())
    return {"static linking", Finding::ok, "a static program is linked, and runs", "", true};
  finding.found = end.notStarted.empty() ? "a static program is linked, but fails" : "a static program is linked, but cannot be run: " + end.notStarted;
  return finding;
}

} // namespace

Finding tryJit() {
  const TargetInfo *target = bestTarget();
  if (!target)
    return {"JIT", Finding::missing, "not tried: there is no class to compile for (see above)"};
  std::string wrong;
  try {
    wrong = trainByJit(*target);
  } catch (const RunError &problem) {
    wrong = problem.what();
  }
  if (wrong.empty())
    return {"JIT", Finding::ok, "compiled in memory, and trains two steps"};
  return {"JIT", Finding::missing, wrong, "report it: Heddle should train on this machine"};
}

std::vector<Finding> tryCompiler() {
  Finding compiler{"C++ compiler", Finding::missing, "", "", true};
  llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder) {
    llvm::consumeError(folder.takeError());
    compiler.found = "not tried: there is no temporary folder to work in (see above)";
    return {compiler};
  }
  llvm::Expected<CppCompiler> found = findCppCompiler(*folder);
  if (!found) {
    compiler.found = llvm::toString(found.takeError());
    compiler.mend = "install g++, or set CXX to a C++ compiler: GCC 11, Clang 12 or later";
    return {compiler};
  }
  compiler.health = Finding::ok;
  compiler.found = fmt::format("{} ({}{})", fmt::join(found->command, " "), found->version, std::getenv("CXX") ? ", CXX" : "");
  std::vector<Finding> findings = {compiler, tryStaticProgram(*folder, *found)};
  const TargetInfo *target = bestTarget();
  if (target && findings.back().health == Finding::ok)
    findings.push_back(tryNativeProgram(*folder, *target));
  else
    findings.push_back({"native program", Finding::missing, "not tried (see above)", "", true});
  return findings;
}

} // namespace heddle
