// The whole contract between generated code and the runtime: plain C structs.
//
// A program is a set of entry points (`train`, `eval`, `sample`, ...) that share one arena of variables
// (parameters, optimizer state, model state), each with one layout. An entry is a flat list of steps; a step calls
// one kernel over a fixed number of tiles, or opens or closes a loop (the `repeat` of the source). Which thread runs
// which tile is free; what a tile computes is not: that is why results do not depend on the number of threads.
//
// Everything depends on the target class (register tiles, lanes), so a program holds one plan per class.
#ifndef HEDDLE_RUNTIME_ABI_H
#define HEDDLE_RUNTIME_ABI_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEDDLE_VERSION "0.1.0"   // of the release; CMakeLists.txt reads it here
#define HEDDLE_ABI_VERSION 4
#define HEDDLE_MAX_LOOPS 4       // nested `repeat`s
#define HEDDLE_ALIGNMENT 64      // bytes; every buffer starts on it: a cache line and an AVX-512 vector
#define HEDDLE_PADDING 64        // readable bytes behind every arena, so that a full vector may be loaded at its end

// A kernel computes tiles [begin, end). args[i] points at the i-th buffer, already moved to the current iteration of
// the enclosing loops; loops[d] is the index of the loop at depth d; scratch is this thread's own memory.
typedef void (*HeddleKernel)(void* const* args, const int64_t* loops, int64_t begin, int64_t end, void* scratch);

// In memory: f32 and i32 are 4 bytes; bool is a 4-byte 0 or 1.
enum HeddleType { HEDDLE_F32 = 0, HEDDLE_I32 = 1, HEDDLE_BOOL = 2 };

typedef struct {
  const char* name;  // the axis, as the source names it
  int64_t size;
} HeddleDim;

// A cache holds what generation keeps from token to token; no other entry than `sample` and `decode` knows it.
enum HeddleKind { HEDDLE_PARAMETER = 0, HEDDLE_OPTIMIZER = 1, HEDDLE_STATE = 2, HEDDLE_CACHE = 3 };
enum HeddleInit { HEDDLE_CONSTANT = 0 /* a */, HEDDLE_NORMAL = 1 /* mean a, deviation b */, HEDDLE_UNIFORM = 2 /* [a,b) */ };

// What outlives a step. The first `repeats` dims are the layer axes of enclosing `repeat`s: `name` then holds one
// `{}` for each, and a checkpoint has one tensor per layer ("h.{}.attn.wq" -> h.0.attn.wq, h.1.attn.wq, ...).
typedef struct {
  const char* name;
  int32_t kind;  // HeddleKind
  int32_t type;  // HeddleType
  int32_t rank;
  int32_t repeats;
  const HeddleDim* dims;
  int64_t offset;  // bytes into the variables' arena; caches lie behind all others
  int32_t init;    // HeddleInit
  double a, b;
  uint64_t stream;  // of the random numbers that fill it; layer i of a stack uses stream + i
  int32_t frozen;   // kept and saved, not trained
} HeddleVariable;

// An input or output of an entry, in its workspace, row-major in the order of dims. Inputs named "$step" (i32 scalar,
// the step from 1) and "$seed" (i32[2], low word first) are filled by the executor's caller on every step.
// "$micro" (i32 scalar) is the micro-batch within the step, from 0; "$position" (i32 scalar) that of the token that `decode`
// is given.
typedef struct {
  const char* name;  // "data.ids", "loss.lm", "grad_norm", "lr", "logits", "out", "grad.h.{}.attn.wq"
  int32_t type;
  int32_t rank;
  int32_t repeats;  // as in HeddleVariable, for gradients of stacked parameters
  const HeddleDim* dims;
  int64_t offset;  // bytes into the workspace
} HeddleBuffer;

enum HeddleSpace { HEDDLE_VARIABLES = 0, HEDDLE_WORKSPACE = 1 };

typedef struct {
  int32_t space;   // HeddleSpace
  int64_t offset;  // bytes
  int64_t stride[HEDDLE_MAX_LOOPS];  // bytes added per iteration of the loop at each depth
  int64_t floats;  // how many f32 the call writes there, from the first on: 0 for what it reads, and for other types
} HeddleArg;

enum HeddleStepKind { HEDDLE_CALL = 0, HEDDLE_LOOP = 1, HEDDLE_REVERSE_LOOP = 2 /* count-1 down to 0 */, HEDDLE_END = 3 };

typedef struct {
  int32_t kind;        // HeddleStepKind
  int32_t kernel;      // CALL: index into HeddleTarget::kernels
  int64_t count;       // CALL: number of tiles; LOOP, REVERSE_LOOP: iterations
  int32_t arg_count;   // CALL
  const HeddleArg* args;
  const char* where;   // "gpt.heddle:33", for traces and errors
  const char* name;    // LOOP, REVERSE_LOOP: the name of the `repeat`, "h" or "h.backward"; else null
} HeddleStep;

typedef struct {
  const char* name;
  int32_t input_count;
  const HeddleBuffer* inputs;
  int32_t output_count;
  const HeddleBuffer* outputs;
  int32_t step_count;
  const HeddleStep* steps;
  int64_t workspace_bytes;  // inputs, outputs, saved activations and temporaries
  int64_t scratch_bytes;    // per thread
  int64_t flops;            // multiplications and additions of matrix products in one run
} HeddleEntry;

// What a call of a kernel does, all tiles together.
typedef struct {
  int64_t flops;  // multiplications and additions of matrix products; blocks that a mask closes for certain do not count
  int64_t bytes;  // of buffers, each read and written once; of a tensor that is gathered from, what is gathered
} HeddleWork;

typedef struct {
  const char* name;  // target class: "avx512", "avx2", "baseline"
  int32_t kernel_count;
  const HeddleKernel* kernels;
  const char* const* kernel_names;
  int32_t entry_count;
  const HeddleEntry* entries;
  const HeddleWork* kernel_work;  // null: not known
} HeddleTarget;

typedef struct {
  int32_t abi_version;
  const char* name;    // of the train block, or of the module for `heddle run`
  const char* hash;    // of the program's text and settings, 16 hex digits; checkpoints carry it
  const char* config;  // JSON: data source, steps, seed, what happens every N steps (docs/runtime.md)
  int32_t variable_count;
  const HeddleVariable* variables;
  int64_t variables_bytes;
  int32_t target_count;
  const HeddleTarget* targets;  // best first
} HeddleProgram;

#ifdef __cplusplus
}
#endif
#endif  // HEDDLE_RUNTIME_ABI_H
