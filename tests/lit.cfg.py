"""lit's configuration: a test is a .heddle, .mlir or .test file with RUN lines; %heddle and %heddle-opt name the
commands, which are also on its PATH.

`ctest` passes the build folder; by hand, `lit -v tests/frontend` takes build/ of this checkout.
"""
import os

import lit.formats

config.name = "heddle"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".heddle", ".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))

build = lit_config.params.get("build", os.path.join(config.test_source_root, "..", "build"))
llvm = lit_config.params.get("llvm", "/usr/lib/llvm-22/bin")
build = os.path.abspath(build)
config.test_exec_root = os.path.join(build, "tests")
config.environment["PATH"] = os.pathsep.join([os.path.join(build, "bin"), llvm, config.environment["PATH"]])
config.environment["NO_COLOR"] = "1"
config.environment["HEDDLE_CACHE"] = "off"  # but for the tests of it: what is tested is compiled
config.substitutions.append((r"%heddle-opt\b", os.path.join(build, "bin", "heddle-opt")))
config.substitutions.append((r"%heddle\b", os.path.join(build, "bin", "heddle")))
config.substitutions.append(("%tests", config.test_source_root))
config.substitutions.append(("%examples", os.path.join(config.test_source_root, "..", "examples")))
