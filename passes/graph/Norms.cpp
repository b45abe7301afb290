// See Norms.h. Everything here keeps the order of x's dims.
#include "passes/graph/Norms.h"

#include <limits>

using namespace mlir;
using namespace heddle;

SoftmaxTerms heddle::softmaxTerms(GraphBuilder &b, Value x, StringAttr over) {
  Value zero = b.number(0), lowest = b.number(-std::numeric_limits<double>::infinity());
  Value top = b.reduce("max", x, over);
  Value max = b.select(b.compare("eq", top, lowest), zero, top);
  Value shifted = b.sub(x, max);
  Value exp = b.exp(shifted);
  return {max, shifted, exp, b.sum(exp, over)};
}

Value heddle::softmaxOf(GraphBuilder &b, const SoftmaxTerms &terms) {
  // exp is 0 wherever sum is 0, so dividing by 1 there gives the row of zeros without a select per element.
  Value empty = b.compare("eq", terms.sum, b.number(0));
  return b.div(terms.exp, b.select(empty, b.number(1), terms.sum));
}
Value heddle::softmax(GraphBuilder &b, Value x, StringAttr over) { return softmaxOf(b, softmaxTerms(b, x, over)); }

LayerNormTerms heddle::layerNormTerms(GraphBuilder &b, Value x, StringAttr over, double eps) {
  Value centred = b.sub(x, b.mean(x, over));
  Value variance = b.mean(b.mul(centred, centred), over);
  return {centred, b.rsqrt(b.add(variance, b.number(eps)))};
}

Value heddle::rootMeanSquareInverse(GraphBuilder &b, Value x, StringAttr over, double eps) {
  return b.rsqrt(b.add(b.mean(b.mul(x, x), over), b.number(eps)));
}
