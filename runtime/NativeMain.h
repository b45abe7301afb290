// The main function of a native program: `./gpt train | eval | sample`.
#ifndef HEDDLE_RUNTIME_NATIVEMAIN_H
#define HEDDLE_RUNTIME_NATIVEMAIN_H
#include "runtime/Abi.h"

namespace heddle {

/// Emitted programs end with `int main(int argc, char** argv) { return heddle::nativeMain(program, argc, argv); }`.
int nativeMain(const HeddleProgram& program, int argc, char** argv);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_NATIVEMAIN_H
