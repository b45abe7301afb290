// The hand-written program as a native one, linked as emitted programs are: statically, with libheddle_runtime.a and
// libc alone. It saves after every step, so that a kill is likely to hit a save.
#include "TinyProgram.h"

#include "runtime/NativeMain.h"

int main(int argc, char** argv) {
  HeddleProgram program = heddle::tiny::make(heddle::tiny::kSaveEveryStep);
  return heddle::nativeMain(program, argc, argv);
}
