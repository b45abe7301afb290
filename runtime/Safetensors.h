// Reading and writing of safetensors files (https://github.com/huggingface/safetensors, "Format").
//
//   8 bytes   N, little endian
//   N bytes   JSON: {"name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, .., "__metadata__": {..}}
//   the rest  the tensors, row-major, without holes or overlaps; offsets count from here
//
// The reader takes nothing on trust: every length is checked against the file's size before memory is taken for it,
// and all offsets, shapes and names are checked before the first tensor is read. Errors carry path, byte and cause.
#ifndef HEDDLE_RUNTIME_SAFETENSORS_H
#define HEDDLE_RUNTIME_SAFETENSORS_H
#include "runtime/InputFile.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;  // as in the file: "F32", "F64", "F16", "BF16", "I32", "I64", "U8", "BOOL", or one that cannot be read
  std::vector<int64_t> shape;
  uint64_t begin, end;  // bytes in the file (not in its data part)
  int64_t elements() const;
};

/// Bytes of one element of a dtype of the format, or 0 for a word that is none.
uint64_t safetensorsWidth(const std::string& dtype);

class SafetensorsFile {
public:
  /// Opens and validates; reads no tensor. Throws RunError(kData).
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return file.path(); }
  const std::vector<SafetensorsEntry>& tensors() const { return entries; }  // in the order of their data
  const std::map<std::string, std::string>& metadata() const { return meta; }
  const SafetensorsEntry* find(std::string_view name) const;
  const InputFile& bytes() const { return file; }
  /// The header's JSON, byte by byte.
  const std::string& header() const { return text; }

  /// Reads elements [first, first + count) as `type` (HeddleType) into `out`, 4 bytes each. F16 and BF16
  /// become f32, exactly; F64 is rounded to f32 and I64 narrowed to i32, both with a range check; U8 becomes i32; BOOL and
  /// U8 of 0 and 1 become bool. Other conversions, and values out of range, throw RunError(kData) with the tensor's name
  /// and the value's byte.
  void read(const SafetensorsEntry& tensor, int64_t first, int64_t count, int32_t type, void* out) const;
  /// The whole tensor.
  void read(const SafetensorsEntry& tensor, int32_t type, void* out) const {
    read(tensor, 0, tensor.elements(), type, out);
  }

private:
  InputFile file;
  std::string text;
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> meta;
};

/// Collects tensors by reference and writes them as one file, durably (DurableFile). The order of addition is the
/// order in the file, so that equal contents make equal files.
class SafetensorsWriter {
public:
  /// `type` is a HeddleType; `data` is in the layout of a buffer (4 bytes an element; bool is written as one byte) and
  /// must live until write(). Throws RunError(kInternal) for a name given twice.
  void add(const std::string& name, int32_t type, std::vector<int64_t> shape, const void* data);
  /// A tensor that is made when its turn to be written comes, so that no more than one need be in memory. `dtype` is the
  /// format's word; `make` fills the bytes of the file, which it gets in their number. Throws as the other.
  void add(const std::string& name, const std::string& dtype, std::vector<int64_t> shape,
           std::function<void(std::vector<char>& bytes)> make);
  std::map<std::string, std::string> metadata;

  /// The header's JSON, padded with spaces to a multiple of 8 bytes.
  std::string header() const;
  /// `header` is header(), or the same with equally long text in its metadata.
  void write(const std::string& path, const std::string& header) const;
  void write(const std::string& path) const { write(path, header()); }

private:
  struct Tensor {
    std::string name;
    std::string dtype;
    std::vector<int64_t> shape;
    uint64_t bytes;    // in the file
    const void* data;  // as in memory; not of a tensor that has `make`
    std::function<void(std::vector<char>&)> make;
  };
  void add(Tensor tensor, uint64_t width);
  std::vector<Tensor> tensors;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_SAFETENSORS_H
