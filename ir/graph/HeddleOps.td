// The graph dialect: tensors by value, with named dims. One op per idea; no memory.
//
// Every op addresses dims by name, so the order of dims in a type is free for internal values: a pass that permutes it
// chooses a layout (row-major in that order) and changes no meaning.
//
// Each op's description numbers its constraints (`add_c1`); the verifier repeats the numbers, and every number has an
// `expected-error` test under tests/ir/.
#ifndef HEDDLE_OPS_TD
#define HEDDLE_OPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Heddle_Dialect : Dialect {
  let name = "heddle";
  let cppNamespace = "::heddle";
  let summary = "Transformers as graphs of tensors with named dims";
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

//===------------------------------------------------------------------------------------------------- types
def Heddle_Tensor : TypeDef<Heddle_Dialect, "Tensor"> {
  let cppClassName = "Tensor";
  let mnemonic = "tensor";
  let summary = "a tensor by value: named dims with sizes, and an element type";
  let description = [{
    `!heddle.tensor<[B=12, T=64, D=128], f32>`. A scalar has no dims: `!heddle.tensor<[], f32>`.
    - tensor_c1: the element type is f32, i32 or i1
    - tensor_c2: every size is at least 1, and the product of the sizes fits in 62 bits
    - tensor_c3: no name stands twice
  }];
  let parameters = (ins
    ArrayRefParameter<"::mlir::StringAttr", "names">:$names,
    ArrayRefParameter<"int64_t", "sizes">:$sizes,
    "::mlir::Type":$elementType);
  let builders = [
    TypeBuilderWithInferredContext<(ins "::llvm::ArrayRef<::mlir::StringAttr>":$names,
        "::llvm::ArrayRef<int64_t>":$sizes, "::mlir::Type":$elementType),
      [{ return $_get(elementType.getContext(), names, sizes, elementType); }]>,
  ];
  let genVerifyDecl = 1;
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getNames().size(); }
    /// The position of a dim, or -1.
    int64_t indexOf(::mlir::StringAttr name) const;
    bool has(::mlir::StringAttr name) const { return indexOf(name) >= 0; }
    /// The size of a dim that the tensor has.
    int64_t sizeOf(::mlir::StringAttr name) const { return getSizes()[indexOf(name)]; }
    int64_t getNumElements() const;
    bool isFloat() const { return getElementType().isF32(); }
    bool isInt() const { return getElementType().isInteger(32); }
    bool isBool() const { return getElementType().isInteger(1); }
    /// The same dims with another element type.
    Tensor withElement(::mlir::Type element) const;
    /// Without the dims named.
    Tensor without(::llvm::ArrayRef<::mlir::StringAttr> names) const;
    /// With one dim put in front.
    Tensor withLeading(::mlir::StringAttr name, int64_t size) const;
  }];
}
class Heddle_TensorOf<string test, string text>
    : Type<And<[CPred<"::llvm::isa<::heddle::Tensor>($_self)">, CPred<"::llvm::cast<::heddle::Tensor>($_self)." # test>]>,
           text, "::heddle::Tensor">;
def FloatTensor : Heddle_TensorOf<"isFloat()", "float tensor">;
def IntTensor : Heddle_TensorOf<"isInt()", "int tensor">;
def BoolTensor : Heddle_TensorOf<"isBool()", "bool tensor">;
def NumberTensor : Type<Or<[FloatTensor.predicate, IntTensor.predicate]>, "float or int tensor", "::heddle::Tensor">;

class Heddle_Op<string mnemonic, list<Trait> traits = []> : Op<Heddle_Dialect, mnemonic, traits>;

//===------------------------------------------------------------------------------------------------- sources
def Heddle_ConstantOp : Heddle_Op<"constant", [Pure]> {
  let summary = "the same number in every element";
  let description = [{
    `heddle.constant -inf : !heddle.tensor<[], f32>`. A float is kept in double precision and rounded when lowered.
    - constant_c1: the attribute is an f64 for f32 elements, an i32 for i32, a bool for i1
  }];
  let arguments = (ins TypedAttrInterface:$value);
  let results = (outs Heddle_Tensor:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let builders = [
    OpBuilder<(ins "::heddle::Tensor":$type, "double":$number)>,  // converted to the element type
  ];
}
def Heddle_PositionOp : Heddle_Op<"position", [Pure]> {
  let summary = "the index along an axis: 0, 1, ..., size-1";
  let description = [{
    - position_c1: the result has exactly one dim (the axis) and i32 elements
  }];
  let results = (outs IntTensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}
def Heddle_BernoulliOp : Heddle_Op<"bernoulli", [Pure]> {
  let summary = "true with probability `keep`, from a counter: the mask of dropout";
  let description = [{
    A pure function of seed, step, stream, repeat indices and the logical element (row-major in `order`), so backward
    computes it again. ir/graph/Random.h defines it to the bit.
    - bernoulli_c1: seed is i32 with two elements; step and the indices are i32 scalars
    - bernoulli_c2: 0 < keep < 1
    - bernoulli_c3: `order` holds the result's dims, each once
  }];
  let arguments = (ins IntTensor:$seed, IntTensor:$step, Variadic<IntTensor>:$indices,
                       F64Attr:$keep, I64Attr:$stream, StrArrayAttr:$order);
  let results = (outs BoolTensor:$result);
  let assemblyFormat = [{
    $seed `,` $step (`indices` `(` $indices^ `)`)? `keep` $keep `stream` $stream `order` $order attr-dict
    `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}
def Heddle_VariableOp : Heddle_Op<"variable", [Symbol]> {
  let summary = "what outlives a step: a parameter, optimizer state, model state";
  let description = [{
    The leading `repeats` dims are the layer axes of the enclosing `repeat`s; the name holds one `{}` for each.
    - variable_c1: kind is "parameter", "optimizer", "state" or "cache"; init is "constant" (a), "normal" (mean a, deviation b)
      or "uniform" ([a, b))
    - variable_c2: 0 <= repeats <= rank, and the name holds as many `{}`
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Heddle_Tensor>:$type, StrAttr:$kind,
    DefaultValuedAttr<I64Attr, "0">:$repeats, StrAttr:$init, F64Attr:$a, F64Attr:$b, I64Attr:$stream,
    UnitAttr:$frozen, OptionalAttr<I64Attr>:$offset);
  let assemblyFormat = "$sym_name $kind $init `(` $a `,` $b `)` `stream` $stream attr-dict `:` $type";
  let hasVerifier = 1;
}
def Heddle_ReadOp : Heddle_Op<"read", [DeclareOpInterfaceMethods<SymbolUserOpInterface>, Pure]> {
  let summary = "the value of a variable before the step";
  let description = [{
    - read_c1: the variable exists and has the result's type
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs Heddle_Tensor:$result);
  let assemblyFormat = "$variable attr-dict `:` type($result)";
}
def Heddle_WriteOp : Heddle_Op<"write", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a variable after the step";
  let description = [{
    - write_c1: the variable exists and has the value's type
  }];
  let arguments = (ins Heddle_Tensor:$value, FlatSymbolRefAttr:$variable);
  let assemblyFormat = "$value `,` $variable attr-dict `:` type($value)";
}

//===------------------------------------------------------------------------------------------------- elementwise
// elementwise_c1: one result; every dim of an operand is a dim of the result, with the same size
def IsElementwise : NativeOpTrait<"IsElementwise"> { let cppNamespace = "::heddle"; }
class Heddle_Elementwise<string mnemonic, dag ins, dag outs, list<Trait> traits = []>
    : Heddle_Op<mnemonic, !listconcat([Pure, IsElementwise], traits)> {
  let arguments = ins;
  let results = outs;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}
// same_element_c1: operands and result have one element type
def SameElement : NativeOpTrait<"SameElement"> { let cppNamespace = "::heddle"; }
class Heddle_Unary<string mnemonic, Type type, string text>
    : Heddle_Elementwise<mnemonic, (ins type:$x), (outs type:$result), [SameElement]> { let summary = text; }
class Heddle_Binary<string mnemonic, Type type, string text, list<Trait> traits = []>
    : Heddle_Elementwise<mnemonic, (ins type:$x, type:$y), (outs type:$result), !listconcat([SameElement], traits)> {
  let summary = text;
}
// Integer arithmetic wraps at 32 bits.
def Heddle_AddOp : Heddle_Binary<"add", NumberTensor, "x + y">;
def Heddle_SubOp : Heddle_Binary<"sub", NumberTensor, "x - y">;
def Heddle_MulOp : Heddle_Binary<"mul", NumberTensor, "x * y">;
def Heddle_DivOp : Heddle_Binary<"div", FloatTensor, "x / y, correctly rounded">;
def Heddle_FloorDivOp : Heddle_Binary<"floordiv", NumberTensor, "floor(x / y); an int divided by 0 is 0">;
def Heddle_ModOp : Heddle_Binary<"mod", NumberTensor, "x - y * floor(x / y); an int modulo 0 is 0">;
def Heddle_PowOp : Heddle_Binary<"pow", FloatTensor, "x to the power y; of a negative x NaN unless y is a whole number">;
def Heddle_MinOp : Heddle_Binary<"min", NumberTensor, "x < y ? x : y">;
def Heddle_MaxOp : Heddle_Binary<"max", NumberTensor, "x > y ? x : y">;
def Heddle_NegOp : Heddle_Unary<"neg", NumberTensor, "-x">;
def Heddle_AbsOp : Heddle_Unary<"abs", NumberTensor, "|x|">;
def Heddle_FloorOp : Heddle_Unary<"floor", FloatTensor, "the largest whole number not above x">;
def Heddle_ExpOp : Heddle_Unary<"exp", FloatTensor, "e^x">;
def Heddle_Expm1Op : Heddle_Unary<"expm1", FloatTensor, "e^x - 1, exact near 0">;
def Heddle_LogOp : Heddle_Unary<"log", FloatTensor, "natural logarithm">;
def Heddle_Log1pOp : Heddle_Unary<"log1p", FloatTensor, "log(1 + x), exact near 0">;
def Heddle_SqrtOp : Heddle_Unary<"sqrt", FloatTensor, "square root, correctly rounded">;
def Heddle_RsqrtOp : Heddle_Unary<"rsqrt", FloatTensor, "1 / sqrt(x): two correctly rounded operations">;
def Heddle_SinOp : Heddle_Unary<"sin", FloatTensor, "sine">;
def Heddle_CosOp : Heddle_Unary<"cos", FloatTensor, "cosine">;
def Heddle_TanhOp : Heddle_Unary<"tanh", FloatTensor, "hyperbolic tangent">;
def Heddle_SigmoidOp : Heddle_Unary<"sigmoid", FloatTensor, "1 / (1 + e^-x)">;
def Heddle_ErfOp : Heddle_Unary<"erf", FloatTensor, "error function">;
def Heddle_NotOp : Heddle_Unary<"not", BoolTensor, "logical not">;
def Heddle_AndOp : Heddle_Binary<"and", BoolTensor, "logical and">;
def Heddle_OrOp : Heddle_Binary<"or", BoolTensor, "logical or">;
def Heddle_BroadcastOp : Heddle_Unary<"broadcast", Heddle_Tensor, "the same values along further dims">;
def Heddle_StopGradOp : Heddle_Unary<"stop_grad", FloatTensor, "x; its gradient is 0">;

def Heddle_CompareOp : Heddle_Op<"compare", [Pure, IsElementwise]> {
  let summary = "eq, ne, lt, le, gt, ge: ordered, so that only ne holds for NaN";
  let description = [{
    - compare_c1: predicate is one of eq, ne, lt, le, gt, ge
    - compare_c2: both operands have one element type, f32 or i32 (eq and ne also i1)
  }];
  let arguments = (ins StrAttr:$predicate, Heddle_Tensor:$x, Heddle_Tensor:$y);
  let results = (outs BoolTensor:$result);
  let assemblyFormat = "$predicate $x `,` $y attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}
def Heddle_SelectOp : Heddle_Op<"select", [Pure, IsElementwise]> {
  let summary = "where(condition, x, y): nothing of the side not taken has an effect";
  let description = [{
    - select_c1: x, y and the result have one element type
  }];
  let arguments = (ins BoolTensor:$condition, Heddle_Tensor:$x, Heddle_Tensor:$y);
  let results = (outs Heddle_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}
def Heddle_CastOp : Heddle_Op<"cast", [Pure, IsElementwise]> {
  let summary = "to another element type; float to int truncates and saturates, NaN gives 0; bool gives 0 or 1";
  let description = [{
    - cast_c1: the result is not i1
  }];
  let arguments = (ins Heddle_Tensor:$x);
  let results = (outs NumberTensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, $result)";
}

//===------------------------------------------------------------------------------------------------- along axes
def Heddle_ContractOp : Heddle_Op<"contract", [Pure]> {
  let summary = "the sum of products over the dims named: every matrix product";
  let description = [{
    `heddle.contract %q, %k over ["K"] : (...) -> ...`. Dims that both operands have and that are not summed are batch
    dims. `heddle.contract %x, %w over ["D"] onto(%bias, %residual)`: the sum plus the bias, plus the residual, in this order
    (from stage fused on).
    - contract_c1: both operands have every summed dim, each named once, with one size; at least one is named
    - contract_c2: the result's dims are the other dims of both operands, each once, in any order, with their sizes
    - contract_c3: the dims of each of `onto` are the result's last ones, in its order
  }];
  let arguments = (ins FloatTensor:$x, FloatTensor:$y, StrArrayAttr:$over, Variadic<FloatTensor>:$onto);
  let results = (outs FloatTensor:$result);
  let assemblyFormat = "$x `,` $y `over` $over (`onto` `(` $onto^ `)`)? attr-dict `:` functional-type(operands, $result)";
  let builders = [OpBuilder<(ins "mlir::Type":$result, "mlir::Value":$x, "mlir::Value":$y, "mlir::ArrayAttr":$over), [{
    build($_builder, $_state, result, x, y, over, mlir::ValueRange());
  }]>];
  let hasVerifier = 1;
}
def Heddle_ReduceOp : Heddle_Op<"reduce", [Pure]> {
  let summary = "sum, max or min over the dims named";
  let description = [{
    max starts from -inf (the least int) and keeps x when x > best; min likewise from inf. A NaN is so passed over.
    - reduce_c1: kind is sum, max or min
    - reduce_c2: the operand has every dim named, each named once
    - reduce_c3: the result has the other dims, in any order, and the operand's element type
  }];
  let arguments = (ins StrAttr:$kind, NumberTensor:$x, StrArrayAttr:$over);
  let results = (outs NumberTensor:$result);
  let assemblyFormat = "$kind $x `over` $over attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}
def Heddle_ArgmaxOp : Heddle_Op<"argmax", [Pure]> {
  let summary = "the position of the largest element along an axis, the first of equals";
  let description = [{
    - argmax_c1: the operand has the dim; the result has the others
  }];
  let arguments = (ins NumberTensor:$x, StrAttr:$over);
  let results = (outs IntTensor:$result);
  let assemblyFormat = "$x `over` $over attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}
class Heddle_AlongAxis<string mnemonic, string text> : Heddle_Op<mnemonic, [Pure]> {
  let summary = text;
  let arguments = (ins FloatTensor:$x, StrAttr:$over);
  let results = (outs FloatTensor:$result);
  let assemblyFormat = "$x `over` $over attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}
def Heddle_SoftmaxOp : Heddle_AlongAxis<"softmax", "exp(x - max) / sum; a row that is all -inf gives 0"> {
  let description = [{
    - softmax_c1: operand and result have one set of dims, in any order, with the axis in it
  }];
}
def Heddle_LogSoftmaxOp : Heddle_AlongAxis<"log_softmax", "x - max - log(sum(exp(x - max))); a row of -inf stays -inf"> {
  let description = [{
    - log_softmax_c1: operand and result have one set of dims, in any order, with the axis in it
  }];
}
class Heddle_Norm<string mnemonic, string text> : Heddle_Op<mnemonic, [Pure]> {
  let summary = text;
  let arguments = (ins FloatTensor:$x, StrAttr:$over, F64Attr:$eps);
  let results = (outs FloatTensor:$result);
  let assemblyFormat = "$x `over` $over `eps` $eps attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}
def Heddle_LayerNormOp : Heddle_Norm<"layer_norm", "(x - mean) / sqrt(variance + eps), without gain and bias (Ba et al. 2016)"> {
  let description = [{
    - layer_norm_c1: operand and result have one set of dims, in any order, with the axis in it
    - layer_norm_c2: eps >= 0
  }];
}
def Heddle_RmsNormOp : Heddle_Norm<"rms_norm", "x / sqrt(mean(x^2) + eps), without gain (Zhang and Sennrich 2019)"> {
  let description = [{
    - rms_norm_c1: operand and result have one set of dims, in any order, with the axis in it
    - rms_norm_c2: eps >= 0
  }];
}
def Heddle_CrossEntropyOp : Heddle_Op<"cross_entropy", [Pure]> {
  let summary = "-log_softmax(logits)[target], per row";
  let description = [{
    - cross_entropy_c1: the logits have the axis; the result has their other dims
    - cross_entropy_c2: the target is i32 with dims of the result, and holds ids in [0, size of the axis)
  }];
  let arguments = (ins FloatTensor:$logits, IntTensor:$target, StrAttr:$over);
  let results = (outs FloatTensor:$result);
  let assemblyFormat = "$logits `,` $target `over` $over attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

//===------------------------------------------------------------------------------------------------- indexing
def Heddle_GatherOp : Heddle_Op<"gather", [Pure]> {
  let summary = "x[axis = index]: the axis is replaced by the dims of the index";
  let description = [{
    Dims that the index shares with the rest of x go pointwise. Indices must be in range: those from positions are
    proven so by the frontend, those from data are checked by the runtime on arrival.
    - gather_c1: x has the axis, and the index does not
    - gather_c2: the result's dims are x's without the axis and the index's, each once, with their sizes
  }];
  let arguments = (ins Heddle_Tensor:$x, IntTensor:$index, StrAttr:$axis);
  let results = (outs Heddle_Tensor:$result);
  let assemblyFormat = "$x `[` $axis `=` $index `]` attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}
def Heddle_ScatterAddOp : Heddle_Op<"scatter_add", [Pure]> {
  let summary = "the gradient of gather: adds each update at its index along an axis of zeros";
  let description = [{
    Updates are added in the row-major order of the index's dims, for any number of threads. `onto(%x)`: to x, where that
    lies, in place of zeros (from stage fused on).
    - scatter_add_c1: the result has the axis; updates and index do not
    - scatter_add_c2: dims of updates are those of the index and of the result without the axis
    - scatter_add_c3: `onto` is of the result's type
  }];
  let arguments = (ins FloatTensor:$updates, IntTensor:$index, StrAttr:$axis, Optional<FloatTensor>:$onto);
  let results = (outs FloatTensor:$result);
  let assemblyFormat = "$updates `[` $axis `=` $index `]` (`onto` `(` $onto^ `)`)? attr-dict `:` functional-type(operands, $result)";
  let builders = [OpBuilder<(ins "mlir::Type":$result, "mlir::Value":$updates, "mlir::Value":$index, "llvm::StringRef":$axis), [{
    build($_builder, $_state, result, updates, index, axis, mlir::Value());
  }]>];
  let hasVerifier = 1;
}
def Heddle_RenameOp : Heddle_Op<"rename", [Pure]> {
  let summary = "x[from -> to]: the same data under another axis' name";
  let description = [{
    - rename_c1: the result is the operand with `from` replaced in place by `to`, which it does not hold already
  }];
  let arguments = (ins Heddle_Tensor:$x, StrAttr:$from, StrAttr:$to);
  let results = (outs Heddle_Tensor:$result);
  let assemblyFormat = "$x `[` $from `->` $to `]` attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def Heddle_RegroupOp : Heddle_Op<"regroup", [Pure]> {
  let summary = "x[(from) -> (to)]: the index along some axes, row-major, written along others; splits and merges axes";
  let description = [{
    `heddle.regroup %x["D"] to ["H", "K"]` splits D, `heddle.regroup %x["Y", "X"] to ["N"]` merges Y and X. The element at
    the indices of `to` is that of x with the same row-major index in `from`; the other dims go pointwise.
    - regroup_c1: x has every dim of `from`, each named once; at least one is named
    - regroup_c2: the result's dims are those of `to`, none of them in `from`, and x's other ones, each once, in any order,
      with x's element type
    - regroup_c3: the sizes of `from` and of `to` have one product, below 2^31
  }];
  let arguments = (ins Heddle_Tensor:$x, StrArrayAttr:$from, StrArrayAttr:$to);
  let results = (outs Heddle_Tensor:$result);
  let assemblyFormat = "$x $from `to` $to attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}
def Heddle_ConcatOp : Heddle_Op<"concat", [Pure]> {
  let summary = "joins tensors, one behind the other, along an axis of the result";
  let description = [{
    `heddle.concat %cls, %x over ["", "N"] to "T"`: a piece without an axis of its own, `""`, is one element long.
    - concat_c1: `over` has a name for each piece; a piece has its axis, and none of the others' or the result's
    - concat_c2: the result's dims are `to` and the other dims of every piece, each once, in any order, with the pieces'
      element type
    - concat_c3: the size of `to` is the sum of the pieces'
  }];
  let arguments = (ins Variadic<Heddle_Tensor>:$pieces, StrArrayAttr:$over, StrAttr:$to);
  let results = (outs Heddle_Tensor:$result);
  let assemblyFormat = "$pieces `over` $over `to` $to attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

//===------------------------------------------------------------------------------------------------- structure
def Heddle_YieldOp : Heddle_Op<"yield", [Pure, Terminator]> {
  let summary = "the results of a region";
  let arguments = (ins Variadic<Heddle_Tensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}
def Heddle_RepeatOp : Heddle_Op<"repeat", [AttrSizedOperandSegments, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "the loop over layers";
  let description = [{
    Runs its body `count` times, over index 0..count-1, or from count-1 down to 0 with `reverse`. The body's arguments
    are the index (i32 scalar), the carried values, and the slice of every stacked operand at the index. It yields the
    next carried values, then the values to collect. Results are the last carried values and, stacked over `axis`, the
    collected ones: element i of a stack belongs to index i, whichever way the loop runs. Values from above may be used
    in the body.
    - repeat_c1: block arguments are the index, then the types of the carried values, then those of the stacked operands
      without their leading dim, which is `axis` with size `count`
    - repeat_c2: the yield has the carried types, then those of the collected results without their leading dim, which
      is `axis` with size `count`
    - repeat_c3: count >= 1
  }];
  let arguments = (ins StrAttr:$name, StrAttr:$axis, I64Attr:$count, UnitAttr:$reverse,
                       Variadic<Heddle_Tensor>:$carried, Variadic<Heddle_Tensor>:$stacked);
  let results = (outs Variadic<Heddle_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name `over` $axis `=` $count (`reverse` $reverse^)? `carry` `(` $carried `)` `stack` `(` $stacked `)`
    attr-dict `:` functional-type(operands, $results) $body
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::BlockArgument getIndex() { return getBody().getArgument(0); }
    ::mlir::Block::BlockArgListType getCarriedArgs() { return getBody().getArguments().slice(1, getCarried().size()); }
    ::mlir::Block::BlockArgListType getStackedArgs() { return getBody().getArguments().drop_front(1 + getCarried().size()); }
    ::mlir::ResultRange getCarriedResults() { return getResults().take_front(getCarried().size()); }
    ::mlir::ResultRange getCollected() { return getResults().drop_front(getCarried().size()); }
    /// The region's terminator, a heddle.yield.
    ::mlir::Operation *getYield() { return getBody().front().getTerminator(); }
  }];
}
def Heddle_FusedOp : Heddle_Op<"fused", [IsolatedFromAbove, SingleBlock, Pure]> {
  let summary = "ops that become one loop nest, or one matrix product with what is done to its sums";
  let description = [{
    The region holds elementwise ops, reductions, gathers, positions, constants and random masks, or one contract and
    elementwise ops; its arguments are the operands, in order.
    - fused_c1: block arguments have the operands' types; the yield has the results'
    - fused_c2: the region holds only ops that a nest can compute: elementwise, reduce, argmax, gather, position,
      constant, bernoulli, rename; and contract
  }];
  let arguments = (ins Variadic<Heddle_Tensor>:$inputs);
  let results = (outs Variadic<Heddle_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` attr-dict-with-keyword `:` functional-type(operands, $results) $body";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The region's terminator, a heddle.yield.
    ::mlir::Operation *getYield() { return getBody().front().getTerminator(); }
  }];
}

class Heddle_Blockwise<string mnemonic> : Heddle_Op<mnemonic, [IsolatedFromAbove, SingleBlock, Pure]> {
  let arguments = (ins StrAttr:$over, StrArrayAttr:$rows, Variadic<Heddle_Tensor>:$inputs);
  let results = (outs Variadic<Heddle_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `over` $over `rows` $rows `(` $inputs `)` attr-dict-with-keyword `:` functional-type(operands, $results) $body
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The region's terminator, a heddle.yield.
    ::mlir::Operation *getYield() { return getBody().front().getTerminator(); }
  }];
}
def Heddle_AttentionOp : Heddle_Blockwise<"attention"> {
  let summary = "softmax(score) @ value: nothing of the size rows x keys is ever stored";
  let description = [{
    `over` is the axis of keys; `rows` are the axes that the scores have and the values lack (queries, and heads that
    share values). The region is plain maths: it computes a score, its softmax over the keys, a weight from that, and the
    sum of weighted values. Results are that sum, and what backward needs of a row: the largest score (0 in a row of -inf
    alone) and the sum of exp(score - largest).
    - attention_c1: block arguments have the operands' types; the yield has the results'
    - attention_c2: the region holds only elementwise ops, contract, reduce, gather, rename, position, constant, bernoulli
    - attention_c3: there are three results, without the axis of keys; the last is the sum over the keys of
      exp(score - largest), the first a contraction over the keys; exp(score - largest) is divided once, and the score has
      all of its axes
    - attention_c4: there is at least one axis of rows, all are axes of the second and third result, and none is `over`
  }];
}
def Heddle_AttentionBackwardOp : Heddle_Blockwise<"attention_backward"> {
  let summary = "the gradients of an attention's inputs, from those of its result: nothing of rows x keys is stored";
  let description = [{
    The region computes scores and probabilities again from the inputs and the row's two numbers, and then the gradients
    of the inputs, each a sum over rows, over keys, or over both. Keys may be divided into parts (split-attention): then what
    is not of keys has a first dim more, of partial sums. Which of them holds what is left to whoever computes them.
    - attention_backward_c1: block arguments have the operands' types; the yield has the results', but for the dim of
      partial sums, which is one and the same dim of all results without the axis of keys
    - attention_backward_c2: the region holds only elementwise ops, contract, reduce, gather, scatter_add, rename,
      position, constant, bernoulli
    - attention_backward_c3: a result that has the axis of keys and an axis of rows has the type of an input
    - attention_backward_c4: the last two inputs are the row's two numbers; the first of them is subtracted from the score,
      once, and the difference goes to exp; the score has all axes of the difference
    - attention_backward_c5: there is at least one axis of rows, all are axes of the last two inputs, and none is `over`
  }];
  let extraClassDeclaration = [{
    /// The region's terminator, a heddle.yield.
    ::mlir::Operation *getYield() { return getBody().front().getTerminator(); }
    /// The dim of partial sums and its size, if keys are divided.
    std::optional<std::pair<::mlir::StringAttr, int64_t>> getParts();
  }];
}

//===------------------------------------------------------------------------------------------------- kernels
def Heddle_PartOp : Heddle_Op<"part", [Pure]> {
  let summary = "the memory of a kernel from an element on, seen as a buffer of its own";
  let arguments = (ins MemRefRankOf<[F32, I32], [1]>:$memory, Index:$from);
  let results = (outs StaticShapeMemRefOf<[F32, I32]>:$result);
  let assemblyFormat = "$memory `[` $from `]` attr-dict `:` type($memory) `to` type($result)";
}

//===------------------------------------------------------------------------------------------------- plan
// What the back ends read beside kernels (func.func): entries as lists of calls. See runtime/Abi.h.
def Heddle_ArgAttr : AttrDef<Heddle_Dialect, "Arg"> {
  let mnemonic = "arg";
  let summary = "where a buffer lies: space (`variables` or `workspace`), bytes from its start, bytes per iteration of each loop";
  let parameters = (ins StringRefParameter<"space">:$space, "int64_t":$offset, OptionalArrayRefParameter<"int64_t">:$strides);
  let assemblyFormat = "`<` $space `,` $offset (`,` `[` $strides^ `]`)? `>`";
}
def Heddle_BufferAttr : AttrDef<Heddle_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "an input or output of an entry, at an offset in the workspace";
  let parameters = (ins StringRefParameter<"name">:$name, "::heddle::Tensor":$type, "int64_t":$repeats, "int64_t":$offset);
  let assemblyFormat = "`<` $name `,` $type `,` `repeats` `=` $repeats `,` `offset` `=` $offset `>`";
}
def Heddle_EntryOp : Heddle_Op<"entry", [Symbol, NoTerminator, SingleBlock]> {
  let summary = "an entry point as a list of kernel calls and loops";
  let arguments = (ins SymbolNameAttr:$sym_name, ArrayAttr:$inputs, ArrayAttr:$outputs, I64Attr:$workspace,
                       I64Attr:$scratch, I64Attr:$flops);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `inputs` $inputs `outputs` $outputs `workspace` $workspace `scratch` $scratch `flops` $flops
    attr-dict-with-keyword $body
  }];
}
def Heddle_CallOp : Heddle_Op<"call"> {
  let summary = "run a kernel over tiles [0, tiles)";
  let arguments = (ins FlatSymbolRefAttr:$kernel, I64Attr:$tiles, ArrayAttr:$args);
  let assemblyFormat = "$kernel `tiles` $tiles $args attr-dict";
}
def Heddle_LoopOp : Heddle_Op<"loop", [NoTerminator, SingleBlock]> {
  let summary = "run the steps in it `count` times";
  let arguments = (ins I64Attr:$count, UnitAttr:$reverse);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$count (`reverse` $reverse^)? attr-dict-with-keyword $body";
}
#endif
