// Which of a program's target classes runs on this CPU.
//
// Asked before the first kernel is called, so that a CPU without the instructions gets a message rather than an
// illegal instruction.
#ifndef HEDDLE_RUNTIME_TARGETCLASS_H
#define HEDDLE_RUNTIME_TARGETCLASS_H
#include "runtime/Abi.h"

#include <string>
#include <vector>

namespace heddle {

/// Does this CPU, under this operating system, run "avx512" (F, BW, DQ, VL, CD), "avx2" (with FMA, F16C, BMI 1 and 2)
/// or "baseline" (x86-64-v2)? False for any other name. The variable HEDDLE_CPU lowers what it is taken for: for tests.
bool cpuRuns(const std::string& targetClass);

/// The classes that this CPU runs, best first.
std::vector<std::string> runnableTargetClasses();

/// The class to compile for: `wanted`, else the variable HEDDLE_TARGET, else the best that the CPU runs.
/// Throws RunError(kUsage) for an unknown name, RunError(kData) for a class that the CPU does not run.
std::string chooseTargetClass(const std::string& wanted = {});

/// The same among the classes that the program was compiled for.
const HeddleTarget& chooseTarget(const HeddleProgram& program, const std::string& wanted = {});

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TARGETCLASS_H
