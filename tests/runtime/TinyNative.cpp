// The hand-written program as a native one, linked as emitted programs are: statically, with libheddle_runtime.a and
// libc alone. It saves after every step, so that a kill is likely to hit a save.
#include "TinyProgram.h"

#include "runtime/NativeMain.h"

int main(int argc, char** argv) {
  HeddleProgram program = heddle::tiny::make(
      R"({"program": "tiny", "data": {"kind": "text", "path": "corpus.txt", "tokenizer": "char", "split": 0.8},
          "steps": 150, "seed": 7, "minimise": "lm",
          "every": [{"n": 1, "do": "save"}, {"n": 10, "do": "eval", "loss": "lm", "batches": 3}]})");
  return heddle::nativeMain(program, argc, argv);
}
