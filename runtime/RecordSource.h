// What sources of records share: the split, the order of the epochs, partial batches, the checks of an entry's inputs.
//
// Records are cut in two by a fixed permutation, the same for every seed: a file is often sorted, and runs that differ
// in their seeds are compared on the same held-out records. Training goes through its part epoch by epoch, each in an
// order of its own (Permutation), and batches run on from one epoch into the next. Evaluation goes through the held-out
// records in one order, each at most once.
//
// Where a program has length buckets, training's records are divided by the smallest that holds them (BucketOrder.h says
// whose turn it is). Evaluation has one entry, for all lengths.
//
// A program that takes `$rows` says which rows count, so its last batch of an evaluation may be partial: it is filled
// up with the last record. A program without it is given whole batches alone.
#ifndef HEDDLE_RUNTIME_RECORDSOURCE_H
#define HEDDLE_RUNTIME_RECORDSOURCE_H
#include "runtime/Arena.h"
#include "runtime/BucketOrder.h"
#include "runtime/DataSource.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// An axis of a batch besides its rows. As a source has it, a size of 0 is free.
struct RecordAxis {
  std::string name;
  int64_t size = 0;
};
/// The size of the axis of that name, 0 if there is none.
int64_t sizeOf(const std::vector<RecordAxis>& axes, std::string_view name);

/// A row of a batch to be filled.
struct RowPlace {
  int64_t record;   // from 0, of all records or as numberTraining says
  bool evaluation;
  uint64_t seed;    // of the run; 0 in evaluation
  uint64_t place;   // of this row among all rows of the run (of its bucket's), or of the evaluation, from 0
  const std::vector<RecordAxis>& axes;  // of the entry
};

class RecordSource : public DataSource {
public:
  void check(Session& session, const HeddleEntry& entry, bool evaluation) override;
  void checkTraining(Session& session, const std::vector<const HeddleEntry*>& entries) override;
  size_t trainingEntry(int64_t step) const override;
  void fillTraining(Session& session, const HeddleEntry& entry, uint64_t seed, int64_t step, int32_t micro) override;
  int64_t evaluationBatches(const HeddleEntry& entry, int64_t batches) const override;
  int64_t fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t batches) override;

  /// Of each bucket, how many records are trained on in it; none without buckets.
  std::vector<std::string> notes() const override;

  /// How many of `records` are trained on.
  static int64_t trainedOf(int64_t records, double split);
  /// "records" and "held_out" of a description; what buckets take is added to its bytes.
  static void describeSplit(int64_t records, const DataConfig& data, DataDescription& description);

protected:
  /// A field as the source has it. Axes of one name have one size.
  using Axis = RecordAxis;
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

  /// Called when the sizes of the axes are known, by their names, of buckets from the smallest on; may call setParts.
  virtual void fit(const std::vector<Axis>& axes) {}

  /// Whether rows of these sizes hold a record whole.
  virtual bool holds(int64_t record, const std::vector<Axis>& axes) const { return true; }

  /// Writes one row: `out[f]` is where field f's elements of this row lie, or null if the entry does not take it.
  virtual void fillRow(const RowPlace& row, void* const* out) = 0;

  const std::string path, noun;
  const double split;

private:
  struct Binding {
    const HeddleEntry* entry = nullptr;
    int64_t rows = 0;
    std::string batch;                        // the name of their axis
    std::vector<const HeddleBuffer*> inputs;  // by field, null where the entry does not take it
    std::vector<int64_t> stride;              // elements of a row
    const HeddleBuffer* counts = nullptr;     // $rows
    std::vector<Axis> axes;
    size_t bucket = 0;
  };
  // The records of a bucket: where they lie in `divided`, and how many there are.
  struct Bucket {
    int64_t first, records;
    std::string name;  // "T = 64"
  };
  Binding& bindingOf(const HeddleEntry& entry);
  Binding& checkFields(const HeddleEntry& entry, std::vector<Axis>& axes);
  void divide(const std::vector<const HeddleEntry*>& entries);
  int64_t* dividedRecords() const { return reinterpret_cast<int64_t*>(divided.data()); }
  const Field& fieldOf(const std::string& input) const;
  void fillRow(Session& session, const Binding& binding, int64_t row, const RowPlace& place);

  const int64_t microBatches;
  const bool hasBuckets;
  std::vector<Field> fields;
  std::vector<Axis> sizes;       // of the axes, once an entry was checked; of buckets, those of the last
  std::vector<Bucket> buckets;   // none, or at least two
  std::optional<BucketOrder> order;
  Arena divided;                 // the records that are trained on, 8 bytes each, bucket by bucket
  std::vector<void*> pointers;   // of the row that is filled
  std::deque<Binding> bindings;
  int64_t trained = 0, heldOut = 0;
  bool permuted = true;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RECORDSOURCE_H
