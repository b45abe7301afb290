// A program written by hand, for testing the runtime without a compiler: a table of bigram logits wte[V, V], trained
// with momentum on cross entropy, and a stack h.{}.scale[L, D] that a loop and a reverse loop change.
//
// Its gradient is multiplied by noise that depends on ($seed, $step), so that a run resumed at a wrong step or seed,
// or with other batches, ends elsewhere.
#ifndef HEDDLE_TESTS_RUNTIME_TINYPROGRAM_H
#define HEDDLE_TESTS_RUNTIME_TINYPROGRAM_H
#include "runtime/Abi.h"

#include <string>

namespace heddle::tiny {

constexpr int64_t B = 4, T = 6, V = 7, L = 3, D = 5;

/// Every pointer in it stays valid until the next call. `config` is the JSON of docs/runtime.md.
/// Entries: train, eval, sample. Target classes: `targetClass`, and no other.
HeddleProgram make(const std::string& config, const std::string& hash = "00000000deadbeef",
                   const std::string& targetClass = "baseline");

/// A configuration of 150 steps on corpus.txt in the current directory: a checkpoint after each, some evaluations.
constexpr char kSaveEveryStep[] =
    R"({"program": "tiny", "data": {"kind": "text", "path": "corpus.txt", "tokenizer": "char", "split": 0.8},
        "steps": 150, "seed": 7, "minimise": "lm",
        "every": [{"n": 1, "do": "save"}, {"n": 10, "do": "eval", "loss": "lm", "batches": 3}]})";

/// From this step on, the loss is NaN (0: never; -1: in evaluations alone), negative as 0/0 is on x86.
extern int nanFrom;
/// Raises this signal at that step (0: never).
extern int signalAt, signalNumber;

}  // namespace heddle::tiny
#endif  // HEDDLE_TESTS_RUNTIME_TINYPROGRAM_H
