// The arithmetic of ir/graph/Random.h on vectors of i32.
#pragma once
#include "ir/graph/Random.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace heddle {

struct RandomEmitter {
  using Words = std::array<mlir::Value, 4>;
  using Pair = std::array<mlir::Value, 2>;
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::VectorType type;

  mlir::Value word(uint32_t value) const {
    auto words = mlir::DenseElementsAttr::get(type, static_cast<int32_t>(value));
    return mlir::arith::ConstantOp::create(b, loc, words);
  }

  Words philox(Words counter, Pair key) const {
    mlir::Value m0 = word(0xD2511F53u), m1 = word(0xCD9E8D57u), w0 = word(0x9E3779B9u), w1 = word(0xBB67AE85u);
    for (int round = 0; round < 10; ++round) {
      auto p0 = mlir::arith::MulUIExtendedOp::create(b, loc, m0, counter[0]);
      auto p1 = mlir::arith::MulUIExtendedOp::create(b, loc, m1, counter[2]);
      counter = {exclusiveOr(exclusiveOr(p1.getHigh(), counter[1]), key[0]), p1.getLow(),
                 exclusiveOr(exclusiveOr(p0.getHigh(), counter[3]), key[1]), p0.getLow()};
      if (round < 9) key = {add(key[0], w0), add(key[1], w1)};
    }
    return counter;
  }

  /// The words of the counters c, c + 1, ... in the lanes, in the order of the elements that have them: four vectors.
  Words inOrder(Words words) const {
    auto [first, second] = interleaved(words[0], words[2]);
    auto [third, fourth] = interleaved(words[1], words[3]);
    auto [w0, w1] = interleaved(first, third);
    auto [w2, w3] = interleaved(second, fourth);
    return {w0, w1, w2, w3};
  }

  /// `bernoulliStream` of a seed; step and indices are vectors with equal lanes.
  Pair stream(Pair seed, uint64_t number, mlir::Value step, mlir::ValueRange indices) const {
    mlir::Value zero = word(0), one = word(1);
    Words words = philox({word(uint32_t(number)), word(uint32_t(number >> 32)), step, zero}, seed);
    for (mlir::Value index : indices) words = philox({words[0], words[1], index, one}, seed);
    return {words[0], words[1]};
  }

  /// Whether a word keeps its element.
  mlir::Value keeps(mlir::Value drawn, double keep) const {
    mlir::Value threshold = word(bernoulliThreshold(keep));
    return mlir::arith::CmpIOp::create(b, loc, mlir::arith::CmpIPredicate::ult, drawn, threshold);
  }

private:
  Pair interleaved(mlir::Value x, mlir::Value y) const {
    auto both = mlir::VectorType::get({8}, b.getI32Type(), {true});
    mlir::Value woven = mlir::vector::InterleaveOp::create(b, loc, both, x, y);
    auto half = [&](int64_t from) -> mlir::Value { return mlir::vector::ScalableExtractOp::create(b, loc, type, woven, from); };
    return {half(0), half(4)};
  }
  mlir::Value exclusiveOr(mlir::Value x, mlir::Value y) const { return mlir::arith::XOrIOp::create(b, loc, x, y); }
  mlir::Value add(mlir::Value x, mlir::Value y) const { return mlir::arith::AddIOp::create(b, loc, x, y); }
};

}  // namespace heddle
