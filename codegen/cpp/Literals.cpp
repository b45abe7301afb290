// Decimal floats round-trip by std::to_chars; no locale takes part.
#include "codegen/cpp/Literals.h"
#include "mlir/IR/BuiltinTypes.h"
#include <charconv>
#include <cmath>

using namespace mlir;

std::string heddle::floatLiteral(float value) {
  if (std::isnan(value)) return "kNaN";
  if (std::isinf(value)) return value < 0 ? "-kInfinity" : "kInfinity";
  char digits[32];
  std::string text(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string heddle::literalText(Attribute constant) {
  if (auto lanes = dyn_cast<DenseElementsAttr>(constant)) {
    if (lanes.getElementType().isInteger(1)) return lanes.getSplatValue<bool>() ? "AllLanes()" : "NoLanes()";
    return "Splat(" + literalText(lanes.getSplatValue<Attribute>()) + ")";
  }
  if (auto number = dyn_cast<FloatAttr>(constant)) return floatLiteral(number.getValue().convertToFloat());
  auto number = cast<IntegerAttr>(constant);
  if (number.getType().isInteger(1)) return number.getValue().isZero() ? "false" : "true";
  int64_t value = number.getValue().getSExtValue();
  // The least int of a width has no literal.
  if (number.getType().isInteger(32) && value == INT32_MIN) return "INT32_MIN";
  return value == INT64_MIN ? "INT64_MIN" : std::to_string(value);
}
