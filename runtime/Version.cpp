// The stamp by which `heddle compile` knows a library of its own version before it links with it: text in the archive,
// so that no linker is needed to read it.
#include "runtime/Abi.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

extern "C" __attribute__((used)) const char heddle_runtime_stamp[] =
    "heddle runtime " HEDDLE_VERSION ", ABI " TEXT(HEDDLE_ABI_VERSION) ".";
