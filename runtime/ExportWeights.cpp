// The way out (MapWeights.h). Tensors are made one after the other as the file is written; whatever is wrong is found
// before, or leaves the file's old contents in place.
#include "runtime/MapWeights.h"

#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>

namespace heddle {
namespace {

uint16_t toBfloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// Of a finite value; past the largest binary16 it gives an infinity. Rounding is that of adding a number whose last bit is
// worth as much as that of the result.
uint16_t toHalf(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000;
  float size = std::fabs(value);
  if (size < 0x1p-14f) return uint16_t(sign | uint32_t(std::bit_cast<uint32_t>(size + 0.5f) - std::bit_cast<uint32_t>(0.5f)));
  uint32_t rounded = (bits & 0x7FFFFFFF) + 0xFFF + (bits >> 13 & 1);
  return uint16_t(sign | std::min<uint32_t>((rounded - (112u << 23)) >> 13, 0x7C00));
}

template <typename T> void put(std::vector<char>& bytes, size_t element, T value) {
  memcpy(bytes.data() + element * sizeof(T), &value, sizeof(T));
}

template <typename T> void fill(std::vector<char>& bytes, const MadeTensor& made) {
  int64_t inner = 1, along = 1;
  if (made.positions >= 0) {
    along = made.shape[size_t(made.positions)];
    for (size_t a = size_t(made.positions) + 1; a < made.shape.size(); ++a) inner *= made.shape[a];
  }
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i)
    put(bytes, i, made.positions < 0 ? T(made.value) : T(int64_t(i) / inner % along));
}

void make(std::vector<char>& bytes, const MadeTensor& made) {
  if (made.dtype == "F32") return fill<float>(bytes, made);
  if (made.dtype == "I32") return fill<int32_t>(bytes, made);
  if (made.dtype == "I64") return fill<int64_t>(bytes, made);
  fill<uint8_t>(bytes, made);  // U8, BOOL
}

void checkConstants(const WeightPlan& plan, const WeightTable& table, const Parameters& parameters) {
  std::string lines;
  for (const WeightPiece& piece : plan.constants) {
    const ParameterTensor& tensor = parameters.tensors[piece.parameter];
    int64_t bad = -1;
    piece.forEach([&](int64_t p, int64_t) {
      if (bad < 0 && tensor.values[p] != piece.constant) bad = p;
    });
    if (bad >= 0)
      lines += fmt::format("\n  {}: element {} is {}, but line {} of {} says {}", tensor.name, bad, tensor.values[bad],
                           piece.place.line, table.path, piece.constant);
  }
  if (!lines.empty())
    throw RunError(kData, "these parameters would be lost; nothing was written:" + lines,
                   "a model of this kind has no place for them: keep them `frozen` while training");
}

}  // namespace

ExportedWeights exportWeights(const WeightTable& table, const Parameters& parameters, const std::string& path,
                              const std::string& dtype) {
  WeightPlan plan(table, parameters);
  checkConstants(plan, table, parameters);
  SafetensorsWriter writer;
  writer.metadata["format"] = "pt";  // transformers refuses a file without it
  for (const PlannedTensor& tensor : plan.tensors)
    writer.add(tensor.name, dtype, tensor.shape, [&](std::vector<char>& bytes) {
      for (const WeightPiece& piece : tensor.pieces) {
        const ParameterTensor& parameter = parameters.tensors[piece.parameter];
        piece.forEach([&](int64_t p, int64_t f) {
          float value = parameter.values[p];
          if (dtype == "F32") return put(bytes, size_t(f), value);
          uint16_t narrow = dtype == "F16" ? toHalf(value) : toBfloat(value);
          if (std::isfinite(value) && (narrow & 0x7FFF) >= (dtype == "F16" ? 0x7C00 : 0x7F80))
            throw RunError(kData, fmt::format("{}: element {} is {}, which {} cannot hold; nothing was written",
                                              parameter.name, p, value, dtype), "export F32");
          put(bytes, size_t(f), narrow);
        });
      }
    });
  for (const MadeTensor& made : plan.made)
    writer.add(made.name, made.dtype, made.shape, [&](std::vector<char>& bytes) { make(bytes, made); });
  writer.write(path);
  ExportedWeights result{int64_t(plan.tensors.size() + plan.made.size()), {}};
  for (size_t p : plan.initial) result.left.push_back(parameters.tensors[p].name);
  return result;
}

}  // namespace heddle
