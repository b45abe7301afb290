// Registers the graph dialect and prints and parses what TableGen's declarative formats cannot say.
#include "ir/graph/Heddle.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace heddle;

#include "ir/graph/HeddleDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "ir/graph/HeddleTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "ir/graph/HeddleAttrs.cpp.inc"
#define GET_OP_CLASSES
#include "ir/graph/HeddleOps.cpp.inc"

void HeddleDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "ir/graph/HeddleTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "ir/graph/HeddleAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ir/graph/HeddleOps.cpp.inc"
      >();
}

//===------------------------------------------------------------------------------------------------- Tensor
Type Tensor::parse(AsmParser &parser) {
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  Type element;
  auto dim = [&]() -> ParseResult {
    std::string name;
    int64_t size;
    if (parser.parseKeywordOrString(&name) || parser.parseEqual() || parser.parseInteger(size)) return failure();
    names.push_back(StringAttr::get(parser.getContext(), name));
    sizes.push_back(size);
    return success();
  };
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, dim) ||
      parser.parseComma() || parser.parseType(element) || parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(), names, sizes, element);
}

void Tensor::print(AsmPrinter &printer) const {
  printer << "<[";
  for (int64_t i = 0; i < getRank(); ++i) {
    if (i) printer << ", ";
    printer.printKeywordOrString(getNames()[i]);
    printer << "=" << getSizes()[i];
  }
  printer << "], " << getElementType() << ">";
}

LogicalResult Tensor::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<StringAttr> names,
                             ArrayRef<int64_t> sizes, Type element) {
  // tensor_c1
  if (!element.isF32() && !element.isInteger(32) && !element.isInteger(1))
    return emitError() << "element type must be f32, i32 or i1, not " << element;
  if (names.size() != sizes.size()) return emitError() << "as many names as sizes are needed";
  int64_t product = 1;
  for (size_t i = 0; i < names.size(); ++i) {
    // tensor_c2
    if (sizes[i] < 1) return emitError() << "size of " << names[i] << " must be at least 1, not " << sizes[i];
    if (product > (int64_t(1) << 62) / sizes[i])
      return emitError() << "too many elements: the product of the sizes passes 2^62";
    product *= sizes[i];
    // tensor_c3
    for (size_t j = 0; j < i; ++j)
      if (names[i] == names[j]) return emitError() << "dim " << names[i] << " stands twice";
  }
  return success();
}

int64_t Tensor::indexOf(StringAttr name) const {
  auto it = llvm::find(getNames(), name);
  return it == getNames().end() ? -1 : it - getNames().begin();
}
int64_t Tensor::getNumElements() const {
  int64_t product = 1;
  for (int64_t size : getSizes()) product *= size;
  return product;
}
Tensor Tensor::withElement(Type element) const { return get(getNames(), getSizes(), element); }
Tensor Tensor::without(ArrayRef<StringAttr> dropped) const {
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  for (auto [name, size] : llvm::zip(getNames(), getSizes()))
    if (!llvm::is_contained(dropped, name)) names.push_back(name), sizes.push_back(size);
  return get(names, sizes, getElementType());
}
Tensor Tensor::withLeading(StringAttr name, int64_t size) const {
  SmallVector<StringAttr> names{name};
  SmallVector<int64_t> sizes{size};
  llvm::append_range(names, getNames());
  llvm::append_range(sizes, getSizes());
  return get(names, sizes, getElementType());
}

//===------------------------------------------------------------------------------------------------- constant
static TypedAttr numberAttr(Builder &builder, Tensor type, double number) {
  if (type.isFloat()) return builder.getF64FloatAttr(number);
  if (type.isInt()) return builder.getI32IntegerAttr(static_cast<int32_t>(number));
  return builder.getBoolAttr(number != 0);
}
void ConstantOp::build(OpBuilder &builder, OperationState &state, Tensor type, double number) {
  build(builder, state, type, numberAttr(builder, type, number));
}

// heddle.constant 0.5 | -inf | inf | nan | 3 | true  : type
ParseResult ConstantOp::parse(OpAsmParser &parser, OperationState &result) {
  double number = 0;
  bool negative = succeeded(parser.parseOptionalMinus());
  if (succeeded(parser.parseOptionalKeyword("inf"))) number = std::numeric_limits<double>::infinity();
  else if (succeeded(parser.parseOptionalKeyword("nan"))) number = std::numeric_limits<double>::quiet_NaN();
  else if (succeeded(parser.parseOptionalKeyword("true"))) number = 1;
  else if (succeeded(parser.parseOptionalKeyword("false"))) number = 0;
  else {
    APInt integer;
    OptionalParseResult whole = parser.parseOptionalInteger(integer);
    if (whole.has_value()) {
      if (failed(*whole)) return failure();
      number = integer.sextOrTrunc(64).getSExtValue();
    } else if (parser.parseFloat(number)) {
      return failure();
    }
  }
  SMLoc loc = parser.getCurrentLocation();
  Type type;
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(type)) return failure();
  auto tensor = dyn_cast<Tensor>(type);
  if (!tensor) return parser.emitError(loc, "expected a heddle.tensor type");
  if (negative) number = -number;
  if (tensor.isInt() && !(number >= INT32_MIN && number <= INT32_MAX && number == std::trunc(number)))
    return parser.emitError(loc, "an element of i32 is a whole number from -2147483648 to 2147483647");
  result.getOrAddProperties<Properties>().value = numberAttr(parser.getBuilder(), tensor, number);
  result.addTypes(type);
  return success();
}

void ConstantOp::print(OpAsmPrinter &printer) {
  printer << " ";
  if (auto number = dyn_cast<FloatAttr>(getValue())) {
    double value = number.getValueAsDouble();
    if (std::isnan(value)) printer << "nan";
    else if (std::isinf(value)) printer << (value < 0 ? "-inf" : "inf");
    else printer.printAttributeWithoutType(number);
  } else if (auto flag = dyn_cast<BoolAttr>(getValue())) {
    printer << (flag.getValue() ? "true" : "false");
  } else {
    printer << cast<IntegerAttr>(getValue()).getInt();
  }
  printer.printOptionalAttrDict((*this)->getAttrs(), {"value"});
  printer << " : " << getType();
}
