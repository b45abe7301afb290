// Every op through the C++ door, on every target class that this machine runs: within the bounds, and the same bits as
// the LLVM door. One translation unit holds a family of ops with all classes; five of the eight shapes, since lengths
// matter to lowering, which both doors share, and a C++ compiler takes 50 ms for a kernel.
#include "codegen/cpp/EmitCpp.h"
#include "codegen/cpp/NativeBuild.h"
#include "codegen/llvm/Jit.h"
#include "runtime/TargetClass.h"
#include "tests/numeric/Executors.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cstring>
#include <dlfcn.h>
#include <gtest/gtest.h>

using namespace heddle;

namespace {
struct Family {
  const char *name;
  std::vector<OpRow> (*rows)();
};
class CppDoor : public testing::TestWithParam<Family> {};

std::vector<Case> casesOfFamily(const Family &family) {
  std::vector<Case> cases;
  for (const OpRow &row : family.rows())
    for (size_t i = 0; i < std::size(kShapes); ++i)
      if (i % 2 || i == 0) row.cases(kShapes[i], cases);
  return cases;
}

// Equal as bits, but that every NaN is one.
bool sameBits(double x, double y) {
  return (x != x && y != y) || std::memcmp(&x, &y, sizeof x) == 0;
}

/// A program compiled to a shared library and loaded from it.
class Library {
public:
  explicit Library(const std::string &text) {
    llvm::SmallString<128> path;
    if (llvm::sys::fs::createTemporaryFile("heddle-numeric", "so", path)) return;
    auto parts = findNativeParts(llvm::sys::fs::getMainExecutable(nullptr, nullptr));
    llvm::Error error = parts ? buildNative(text, *parts, path, NativeKind::library) : parts.takeError();
    if (error) {
      ADD_FAILURE() << llvm::toString(std::move(error));
    } else if (!(handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))) {
      ADD_FAILURE() << dlerror();
    }
    llvm::sys::fs::remove(path);
  }
  ~Library() {
    if (handle) dlclose(handle);
  }
  const HeddleProgram *program() const {
    if (!handle) return nullptr;
    auto get = reinterpret_cast<const HeddleProgram *(*)()>(dlsym(handle, "heddle_program"));
    return get ? get() : nullptr;
  }

private:
  void *handle = nullptr;
};
}  // namespace

TEST_P(CppDoor, StaysWithinTheBoundsAndHasTheBitsOfTheLlvmDoor) {
  std::vector<Case> cases = casesOfFamily(GetParam());
  std::vector<std::string> classes = runnableTargetClasses();
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> owners;
  std::vector<mlir::ModuleOp> modules;
  for (const std::string &targetClass : classes) {
    owners.push_back(lowerCases(cases, targetClass));
    ASSERT_TRUE(owners.back());
    modules.push_back(*owners.back());
  }
  auto text = emitCpp(modules, {});
  ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
  Library library(*text);
  ASSERT_TRUE(library.program());
  for (size_t k = 0; k < classes.size(); ++k) {
    SCOPED_TRACE(classes[k]);
    auto jit = jitProgram(modules[k], *findTargetClass(classes[k]));
    ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
    Session native(*library.program(), 2, classes[k]), jitted((*jit)->program(), 1, classes[k]);
    for (size_t i = 0; i < cases.size(); ++i) {
      auto got = runCase(native, i, cases[i]), other = runCase(jitted, i, cases[i]);
      expectWithinBounds(cases[i], got);
      for (auto &[name, array] : got) {
        const std::vector<double> &bits = other.at(name).elements;
        size_t different = 0;
        for (size_t e = 0; e < bits.size(); ++e) different += !sameBits(array.elements[e], bits[e]);
        EXPECT_EQ(different, 0u) << cases[i].name << ": " << different << " elements of " << name
                                 << " differ between the doors";
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Family, CppDoor,
                         testing::Values(Family{"Sources", sourceRows}, Family{"Elementwise", elementwiseRows},
                                         Family{"AlongAxes", alongAxesRows}, Family{"Indexing", indexingRows},
                                         Family{"Structure", structureRows}),
                         [](const auto &info) { return info.param.name; });
