// What sources of records share: the split, the order of the epochs, partial batches, the checks of an entry's inputs.
//
// Records are cut in two by a fixed permutation, the same for every seed: a file is often sorted, and runs that differ
// in their seeds are compared on the same held-out records. Training goes through its part epoch by epoch, each in an
// order of its own (Permutation), and batches run on from one epoch into the next. Evaluation goes through the held-out
// records in one order, each at most once.
//
// A program that takes `$rows` says which rows count, so its last batch of an evaluation may be partial: it is filled
// up with the last record. A program without it is given whole batches alone.
#ifndef HEDDLE_RUNTIME_RECORDSOURCE_H
#define HEDDLE_RUNTIME_RECORDSOURCE_H
#include "runtime/DataSource.h"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace heddle {

/// A row of a batch to be filled.
struct RowPlace {
  int64_t record;   // from 0, of all records or as numberTraining says
  bool evaluation;
  uint64_t seed;    // of the run; 0 in evaluation
  uint64_t place;   // of this row among all rows of the run, or of the evaluation, from 0
};

class RecordSource : public DataSource {
public:
  void check(Session& session, const HeddleEntry& entry, bool evaluation) override;
  void fillTraining(Session& session, const HeddleEntry& entry, uint64_t seed, int64_t step, int32_t micro) override;
  int64_t evaluationBatches(const HeddleEntry& entry, int64_t batches) const override;
  int64_t fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t batches) override;

  /// How many of `records` are trained on.
  static int64_t trainedOf(int64_t records, double split);
  /// "records" and "held_out" of a description.
  static void describeSplit(int64_t records, double split, DataDescription& description);

protected:
  /// A field as the source has it. A size of 0 is free; axes of one name have one size.
  struct Axis {
    std::string name;
    int64_t size = 0;
  };
  struct Field {
    std::string name;  // "ids"
    int32_t type;      // HeddleType
    std::vector<Axis> axes;  // the batch first
  };

  /// `path` names the data in errors; `noun` is what a record is called: "rows".
  RecordSource(const RunConfig& config, std::string path, std::string noun);

  /// To be called once by constructors: what there is.
  void setFields(std::vector<Field> fields);
  void setRecords(int64_t records);
  /// The same by a source that cuts in another way: records [0, trained) train, the others are held out.
  void setParts(int64_t trained, int64_t heldOut);

  /// How many records are held out, and which is at place `place` of them in the order of evaluation.
  int64_t heldOutRecords() const { return heldOut; }
  int64_t heldOutRecord(int64_t place) const;

  /// Called when the sizes of the axes are known, by their names; may call setParts.
  virtual void fit(const std::vector<Axis>& axes) {}

  /// Writes one row: `out[f]` is where field f's elements of this row lie, or null if the entry does not take it.
  virtual void fillRow(const RowPlace& row, void* const* out) = 0;

  const std::string path, noun;
  const double split;

private:
  struct Binding {
    const HeddleEntry* entry = nullptr;
    int64_t rows = 0;
    std::vector<const HeddleBuffer*> inputs;  // by field, null where the entry does not take it
    std::vector<int64_t> stride;              // elements of a row
    const HeddleBuffer* counts = nullptr;     // $rows
  };
  Binding& bindingOf(const HeddleEntry& entry);
  const Field& fieldOf(const std::string& input) const;
  void fillRow(Session& session, const Binding& binding, int64_t row, const RowPlace& place);

  const int64_t microBatches;
  std::vector<Field> fields;
  std::vector<Axis> sizes;       // of the axes, once an entry was checked
  std::vector<void*> pointers;   // of the row that is filled
  std::deque<Binding> bindings;
  int64_t trained = 0, heldOut = 0;
  bool permuted = true;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RECORDSOURCE_H
