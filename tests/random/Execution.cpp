// Moves values into and out of arenas, and compiles native libraries.
#include "tests/random/Execution.h"
#include "codegen/cpp/EmitCpp.h"
#include "codegen/cpp/NativeBuild.h"
#include "tests/BufferValues.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/FileSystem.h"
#include <cstring>
#include <dlfcn.h>

using namespace mlir;
using namespace heddle;

std::string heddle::mergedEntry(int program, const std::string &entry) {
  return "p" + std::to_string(program) + "_" + entry;
}
std::string heddle::mergedVariable(int program, const std::string &variable) {
  return "p" + std::to_string(program) + "." + variable;
}

OwningOpRef<ModuleOp> heddle::mergePrograms(MLIRContext &context, const std::map<int, Expectation> &programs) {
  OwningOpRef<ModuleOp> merged = ModuleOp::create(UnknownLoc::get(&context));
  Builder builder(&context);
  for (auto &[i, program] : programs) {
    OwningOpRef<ModuleOp> copy = program.grad.get().clone();
    copy->walk([&](Operation *op) {
      auto renamed = [&](StringRef name) { return mergedVariable(i, name.str()); };
      if (auto variable = dyn_cast<VariableOp>(op)) variable.setSymName(renamed(variable.getSymName()));
      if (auto read = dyn_cast<ReadOp>(op)) read.setVariable(renamed(read.getVariable()));
      if (auto write = dyn_cast<WriteOp>(op)) write.setVariable(renamed(write.getVariable()));
      if (auto entry = dyn_cast<func::FuncOp>(op)) entry.setSymName(mergedEntry(i, entry.getSymName().str()));
    });
    for (Operation &op : llvm::make_early_inc_range(copy->getBody()->getOperations()))
      op.moveBefore(merged->getBody(), merged->getBody()->end());
  }
  return merged;
}

//===------------------------------------------------------------------------------------------------- values
namespace {
/// The runs of one program in a session.
class Runs {
public:
  Runs(Session &session, int program, const Expectation &expected, MLIRContext &context)
      : session(session), program(program), expected(expected), context(context) {}

  Snapshot all() {
    for (const ExpectedEntry &entry : expected.entries) {
      reset();
      run(entry, entry.name, true);
    }
    reset();
    for (const char *round : {"then/", "again/"})
      for (const ExpectedEntry &entry : expected.entries) run(entry, round + entry.name, false);
    return std::move(snapshot);
  }

private:
  const HeddleVariable &variable(const std::string &name) {
    return *session.findVariable(mergedVariable(program, name));
  }
  void reset() {
    for (auto &[name, value] : expected.variables)
      store(value, typeOf(variable(name), context), session.memory(variable(name)));
  }
  template <typename Buffer>
  void keep(const std::string &name, const Buffer &buffer, bool first) {
    const void *memory = session.memory(buffer);
    auto words = static_cast<const uint32_t *>(memory);
    snapshot.bits[(buffer.type == HEDDLE_F32 ? "f " : "i ") + name].assign(words, words + elementCount(buffer));
    if (first) snapshot.first.insert({name, load(typeOf(buffer, context), memory)});
  }
  void run(const ExpectedEntry &entry, const std::string &name, bool first) {
    const HeddleEntry &compiled = session.entry(mergedEntry(program, entry.name));
    std::memset(session.workspace.data(), 0xA5, compiled.workspace_bytes);
    for (int i = 0; i < compiled.input_count; ++i) {
      const HeddleBuffer &input = compiled.inputs[i];
      store(entry.inputs.at(input.name), typeOf(input, context), session.memory(input));
    }
    session.run(compiled);
    for (int i = 0; i < compiled.output_count; ++i)
      keep(name + "/" + compiled.outputs[i].name, compiled.outputs[i], first);
    for (auto &[symbol, value] : expected.variables) keep(name + "/@" + symbol, variable(symbol), first);
  }

  Session &session;
  int program;
  const Expectation &expected;
  MLIRContext &context;
  Snapshot snapshot;
};
}  // namespace

Snapshot heddle::execute(Session &session, int program, const Expectation &expected, MLIRContext &context) {
  return Runs(session, program, expected, context).all();
}

static bool sameFloat(uint32_t x, uint32_t y, bool flushed) {
  if (x == y) return true;
  auto isNan = [](uint32_t bits) { return (bits & 0x7FFFFFFF) > 0x7F800000; };
  auto isFlushed = [](uint32_t bits) { return (bits & 0x7F800000) == 0; };
  if (isNan(x) && isNan(y)) return true;
  return flushed && isFlushed(x) && isFlushed(y) && (x >> 31) == (y >> 31);
}

std::string heddle::differentBits(const Snapshot &x, const Snapshot &y, bool flushed) {
  for (auto &[name, bits] : x.bits) {
    auto found = y.bits.find(name);
    if (found == y.bits.end() || found->second.size() != bits.size()) return name + " is missing";
    for (size_t i = 0; i < bits.size(); ++i) {
      uint32_t a = bits[i], b = found->second[i];
      if (name[0] == 'f' ? sameFloat(a, b, flushed) : a == b) continue;
      char text[96];
      float p, q;
      std::memcpy(&p, &a, 4), std::memcpy(&q, &b, 4);
      std::snprintf(text, sizeof text, "[%zu]: %08x (%g) and %08x (%g)", i, a, p, b, q);
      return name.substr(2) + text;
    }
  }
  return "";
}

//===------------------------------------------------------------------------------------------------- native
llvm::Expected<std::unique_ptr<NativeLibrary>> NativeLibrary::build(ModuleOp kernels) {
  auto text = emitCpp(kernels, {});
  if (!text) return text.takeError();
  auto parts = findNativeParts(llvm::sys::fs::getMainExecutable(nullptr, nullptr));
  if (!parts) return parts.takeError();
  llvm::SmallString<128> path;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile("heddle-random", "so", path))
    return llvm::createStringError(code, "cannot make a temporary file");
  llvm::Error error = buildNative(*text, *parts, path, NativeKind::library);
  auto library = std::make_unique<NativeLibrary>();
  if (!error) library->handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  llvm::sys::fs::remove(path);
  if (error) return error;
  if (!library->handle) return llvm::createStringError("cannot load the native library: %s", dlerror());
  auto get = reinterpret_cast<const HeddleProgram *(*)()>(dlsym(library->handle, "heddle_program"));
  if (!get) return llvm::createStringError("the native library has no heddle_program");
  library->table = get();
  return library;
}
NativeLibrary::~NativeLibrary() {
  if (handle) dlclose(handle);
}
