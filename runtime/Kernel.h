// What emitted kernels are written in: a register of floats or ints, a mask of its lanes, and the operations of kernel
// form (ir/kernel/KernelForm.h says what each means to the bit) that Highway spells in more than one word.
//
// The file is included once per target by hwy/foreach_target.h, hence the guard that toggles. Everything else that
// kernels use (MulAdd, Sqrt, Floor, operators, ...) is Highway's own, found by its argument's type.
#include <algorithm>
#include <cstdint>
#include <hwy/highway.h>

#if defined(HEDDLE_RUNTIME_KERNEL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef HEDDLE_RUNTIME_KERNEL_H
#undef HEDDLE_RUNTIME_KERNEL_H
#else
#define HEDDLE_RUNTIME_KERNEL_H
#endif

HWY_BEFORE_NAMESPACE();
namespace heddle {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::ScalableTag<float> df;
constexpr hn::ScalableTag<int32_t> di;
constexpr hn::ScalableTag<uint32_t> du;
constexpr int64_t kLanes = HWY_LANES(float);
using Floats = hn::Vec<hn::ScalableTag<float>>;
using Ints = hn::Vec<hn::ScalableTag<int32_t>>;
using Mask = hn::Mask<hn::ScalableTag<float>>;  // of ints too
using Words = hn::Vec<hn::ScalableTag<uint32_t>>;

constexpr float kInfinity = __builtin_inff();
constexpr float kNaN = __builtin_nanf("");

// ---- lanes
HWY_INLINE Floats Splat(float x) { return hn::Set(df, x); }
HWY_INLINE Ints Splat(int32_t x) { return hn::Set(di, x); }
HWY_INLINE Ints LaneIndex() { return hn::Iota(di, 0); }
/// The lanes below n, which may be negative or more than there are.
HWY_INLINE Mask FirstLanes(int64_t n) {
  return hn::FirstN(df, static_cast<size_t>(std::min<int64_t>(std::max<int64_t>(n, 0), kLanes)));
}
HWY_INLINE Mask AllLanes() { return FirstLanes(kLanes); }
HWY_INLINE Mask NoLanes() { return FirstLanes(0); }

// ---- choices. A comparison of floats is Highway's operator; one with NaN is false, and NotEqual then true.
HWY_INLINE hn::Mask<hn::ScalableTag<int32_t>> IntMask(Mask m) { return hn::RebindMask(di, m); }
HWY_INLINE Floats Select(Mask m, Floats yes, Floats no) { return hn::IfThenElse(m, yes, no); }
HWY_INLINE Ints Select(Mask m, Ints yes, Ints no) { return hn::IfThenElse(IntMask(m), yes, no); }
HWY_INLINE Mask NotEqual(Floats a, Floats b) { return hn::Not(a == b); }
HWY_INLINE Mask Equal(Ints a, Ints b) { return hn::RebindMask(df, a == b); }
HWY_INLINE Mask NotEqual(Ints a, Ints b) { return hn::Not(Equal(a, b)); }
HWY_INLINE Mask Less(Ints a, Ints b) { return hn::RebindMask(df, a < b); }
HWY_INLINE Mask LessEqual(Ints a, Ints b) { return hn::Not(Less(b, a)); }
HWY_INLINE Mask Greater(Ints a, Ints b) { return Less(b, a); }
HWY_INLINE Mask GreaterEqual(Ints a, Ints b) { return hn::Not(Less(a, b)); }
HWY_INLINE Mask LessUnsigned(Ints a, Ints b) {
  const Ints flip = Splat(INT32_MIN);
  return Less(hn::Xor(a, flip), hn::Xor(b, flip));
}
HWY_INLINE Mask LessEqualUnsigned(Ints a, Ints b) { return hn::Not(LessUnsigned(b, a)); }
HWY_INLINE Mask GreaterUnsigned(Ints a, Ints b) { return LessUnsigned(b, a); }
HWY_INLINE Mask GreaterEqualUnsigned(Ints a, Ints b) { return hn::Not(LessUnsigned(a, b)); }

// ---- memory. Nothing is aligned to more than its element; arenas are padded, so full vectors may be read at their end.
HWY_INLINE Floats Load(const float* p) { return hn::LoadU(df, p); }
HWY_INLINE Ints Load(const int32_t* p) { return hn::LoadU(di, p); }
HWY_INLINE void Store(Floats v, float* p) { hn::StoreU(v, df, p); }
HWY_INLINE void Store(Ints v, int32_t* p) { hn::StoreU(v, di, p); }
#if HWY_TARGET <= HWY_AVX2
HWY_INLINE Floats MaskedLoad(Mask m, const float* p) { return hn::MaskedLoad(m, df, p); }
HWY_INLINE Ints MaskedLoad(Mask m, const int32_t* p) { return hn::MaskedLoad(IntMask(m), di, p); }
HWY_INLINE void MaskedStore(Floats v, Mask m, float* p) { hn::BlendedStore(v, m, df, p); }
HWY_INLINE void MaskedStore(Ints v, Mask m, int32_t* p) { hn::BlendedStore(v, IntMask(m), di, p); }
#else
// SSE has no masked access. Blending would write other threads' elements back, so stores go lane by lane.
HWY_INLINE Floats MaskedLoad(Mask m, const float* p) { return hn::IfThenElseZero(m, Load(p)); }
HWY_INLINE Ints MaskedLoad(Mask m, const int32_t* p) { return hn::IfThenElseZero(IntMask(m), Load(p)); }
HWY_INLINE void MaskedStore(Floats v, Mask m, float* p) {
  HWY_ALIGN float lanes[kLanes];
  HWY_ALIGN int32_t set[kLanes];
  hn::Store(v, df, lanes);
  hn::Store(hn::VecFromMask(di, IntMask(m)), di, set);
  for (int64_t i = 0; i < kLanes; ++i)
    if (set[i]) p[i] = lanes[i];
}
HWY_INLINE void MaskedStore(Ints v, Mask m, int32_t* p) {
  HWY_ALIGN int32_t lanes[kLanes];
  HWY_ALIGN int32_t set[kLanes];
  hn::Store(v, di, lanes);
  hn::Store(hn::VecFromMask(di, IntMask(m)), di, set);
  for (int64_t i = 0; i < kLanes; ++i)
    if (set[i]) p[i] = lanes[i];
}
#endif
HWY_INLINE Floats MaskedLoad(Mask m, const float* p, Floats other) { return Select(m, MaskedLoad(m, p), other); }
HWY_INLINE Ints MaskedLoad(Mask m, const int32_t* p, Ints other) { return Select(m, MaskedLoad(m, p), other); }
/// p[index] in lanes of the mask, `other` elsewhere; p[0] is readable.
HWY_INLINE Floats Gather(const float* p, Ints index) { return hn::GatherIndex(df, p, index); }
HWY_INLINE Ints Gather(const int32_t* p, Ints index) { return hn::GatherIndex(di, p, index); }
HWY_INLINE Floats Gather(const float* p, Ints index, Mask m, Floats other) {
  return Select(m, Gather(p, hn::IfThenElseZero(IntMask(m), index)), other);
}
HWY_INLINE Ints Gather(const int32_t* p, Ints index, Mask m, Ints other) {
  return Select(m, Gather(p, hn::IfThenElseZero(IntMask(m), index)), other);
}
/// Has the caches fetch what lies at p, which may lie beyond the end of its buffer.
HWY_INLINE void Prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }

// ---- from one type to another
HWY_INLINE Floats ToFloat(Ints v) { return hn::ConvertTo(df, v); }
HWY_INLINE Ints ToInt(Floats v) { return hn::ConvertTo(di, v); }  // truncates
HWY_INLINE Ints ToInt(Mask m) { return hn::IfThenElseZero(IntMask(m), Splat(1)); }
HWY_INLINE Ints BitCast(Floats v) { return hn::BitCast(di, v); }
HWY_INLINE Floats BitCast(Ints v) { return hn::BitCast(df, v); }

// ---- integers
using hn::ShiftLeft;
using hn::ShiftRight;
template <int n>
HWY_INLINE Ints ShiftRightLogical(Ints v) { return hn::BitCast(di, hn::ShiftRight<n>(hn::BitCast(du, v))); }
/// The high words of the 64-bit products of unsigned words.
HWY_INLINE Ints MulHigh(Ints a, Ints b) {
  const hn::Repartition<uint64_t, hn::ScalableTag<uint32_t>> dd;
  const Words x = hn::BitCast(du, a), y = hn::BitCast(du, b);
  const auto odd_x = hn::BitCast(du, hn::ShiftRight<32>(hn::BitCast(dd, x)));
  const auto odd_y = hn::BitCast(du, hn::ShiftRight<32>(hn::BitCast(dd, y)));
  const Words even = hn::BitCast(du, hn::ShiftRight<32>(hn::MulEven(x, y)));
  return hn::BitCast(di, hn::OddEven(hn::BitCast(du, hn::MulEven(odd_x, odd_y)), even));
}

// ---- reductions: lane i takes lane i + n/2 until one is left
struct SumOf {
  template <class V>
  static HWY_INLINE V Of(V lo, V hi) { return lo + hi; }
};
struct LargerFloat {
  template <class V>
  static HWY_INLINE V Of(V lo, V hi) { return hn::IfThenElse(hi > lo, hi, lo); }
};
struct SmallerFloat {
  template <class V>
  static HWY_INLINE V Of(V lo, V hi) { return hn::IfThenElse(hi < lo, hi, lo); }
};
struct LargerInt {
  template <class V>
  static HWY_INLINE V Of(V lo, V hi) { return hn::Max(lo, hi); }
};
struct SmallerInt {
  template <class V>
  static HWY_INLINE V Of(V lo, V hi) { return hn::Min(lo, hi); }
};
template <class Op, class D>
HWY_INLINE hn::TFromD<D> HalvingTree(D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(d) > 4) {
    const hn::Half<D> half;
    return HalvingTree<Op>(half, Op::Of(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    v = Op::Of(v, hn::Shuffle1032(v));
    v = Op::Of(v, hn::Shuffle2301(v));
    return hn::GetLane(v);
  }
}
HWY_INLINE float ReduceAdd(Floats v) { return HalvingTree<SumOf>(df, v); }
HWY_INLINE float ReduceMax(Floats v) { return HalvingTree<LargerFloat>(df, v); }
HWY_INLINE float ReduceMin(Floats v) { return HalvingTree<SmallerFloat>(df, v); }
HWY_INLINE int32_t ReduceAdd(Ints v) { return HalvingTree<SumOf>(di, v); }
HWY_INLINE int32_t ReduceMax(Ints v) { return HalvingTree<LargerInt>(di, v); }
HWY_INLINE int32_t ReduceMin(Ints v) { return HalvingTree<SmallerInt>(di, v); }

// ---- two registers, lane by lane alternately
template <class V>
struct Pair {
  V low, high;
};
HWY_INLINE Pair<Floats> Interleave(Floats even, Floats odd) {
  const Floats lower = hn::InterleaveLower(df, even, odd), upper = hn::InterleaveUpper(df, even, odd);
#if HWY_MAX_BYTES == 16
  return {lower, upper};
#elif HWY_MAX_BYTES == 32
  return {hn::ConcatLowerLower(df, upper, lower), hn::ConcatUpperUpper(df, upper, lower)};
#else
  // Blocks of 16 bytes: lower = a0 a1 a2 a3, upper = b0 b1 b2 b3; wanted a0 b0 a1 b1 and a2 b2 a3 b3.
  const hn::Repartition<uint64_t, hn::ScalableTag<float>> dd;
  alignas(64) static constexpr uint64_t kLow[8] = {0, 1, 8, 9, 2, 3, 10, 11};
  alignas(64) static constexpr uint64_t kHigh[8] = {4, 5, 12, 13, 6, 7, 14, 15};
  const __m512i a = hn::BitCast(dd, lower).raw, b = hn::BitCast(dd, upper).raw;
  const auto blocks = [&](const uint64_t* order) HWY_ATTR {
    return hn::BitCast(df, hn::Vec<decltype(dd)>{_mm512_permutex2var_epi64(a, hn::Load(dd, order).raw, b)});
  };
  return {blocks(kLow), blocks(kHigh)};
#endif
}
HWY_INLINE Pair<Ints> Interleave(Ints even, Ints odd) {
  const Pair<Floats> pair = Interleave(BitCast(even), BitCast(odd));
  return {BitCast(pair.low), BitCast(pair.high)};
}
HWY_INLINE Floats Even(Pair<Floats> p) { return hn::ConcatEven(df, p.high, p.low); }
HWY_INLINE Floats Odd(Pair<Floats> p) { return hn::ConcatOdd(df, p.high, p.low); }
HWY_INLINE Ints Even(Pair<Ints> p) { return hn::ConcatEven(di, p.high, p.low); }
HWY_INLINE Ints Odd(Pair<Ints> p) { return hn::ConcatOdd(di, p.high, p.low); }

// ---- one number: the same instructions as for a register of them
constexpr hn::CappedTag<float, 1> d1;
HWY_INLINE float MulAdd(float a, float b, float c) {
  return hn::GetLane(hn::MulAdd(hn::Set(d1, a), hn::Set(d1, b), hn::Set(d1, c)));
}
HWY_INLINE float Sqrt(float x) { return hn::GetLane(hn::Sqrt(hn::Set(d1, x))); }
HWY_INLINE float Abs(float x) { return __builtin_fabsf(x); }
HWY_INLINE float CopySign(float x, float sign) { return __builtin_copysignf(x, sign); }
HWY_INLINE float Floor(float x) { return hn::GetLane(hn::Floor(hn::Set(d1, x))); }
HWY_INLINE float Ceil(float x) { return hn::GetLane(hn::Ceil(hn::Set(d1, x))); }
HWY_INLINE float Trunc(float x) { return hn::GetLane(hn::Trunc(hn::Set(d1, x))); }
HWY_INLINE float Round(float x) { return hn::GetLane(hn::Round(hn::Set(d1, x))); }
HWY_INLINE float ToFloat(int32_t x) { return static_cast<float>(x); }
HWY_INLINE int32_t ToInt(float x) { return static_cast<int32_t>(x); }
HWY_INLINE int32_t ToInt(bool x) { return x ? 1 : 0; }
HWY_INLINE int32_t BitCast(float x) {
  int32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
HWY_INLINE float BitCast(int32_t x) {
  float number;
  __builtin_memcpy(&number, &x, sizeof number);
  return number;
}
HWY_INLINE int32_t ShiftLeft(int32_t x, int32_t n) { return static_cast<int32_t>(static_cast<uint32_t>(x) << n); }
HWY_INLINE int32_t ShiftRight(int32_t x, int32_t n) { return x >> n; }
HWY_INLINE int32_t ShiftRightLogical(int32_t x, int32_t n) { return static_cast<int32_t>(static_cast<uint32_t>(x) >> n); }
HWY_INLINE int64_t Min(int64_t a, int64_t b) { return a < b ? a : b; }
HWY_INLINE int64_t Max(int64_t a, int64_t b) { return a > b ? a : b; }
HWY_INLINE int32_t Min(int32_t a, int32_t b) { return a < b ? a : b; }
HWY_INLINE int32_t Max(int32_t a, int32_t b) { return a > b ? a : b; }
HWY_INLINE int64_t Min(int64_t a, int32_t b) { return Min(a, int64_t{b}); }  // an index and a literal
HWY_INLINE int64_t Max(int64_t a, int32_t b) { return Max(a, int64_t{b}); }
HWY_INLINE int64_t Min(int32_t a, int64_t b) { return Min(int64_t{a}, b); }
HWY_INLINE int64_t Max(int32_t a, int64_t b) { return Max(int64_t{a}, b); }
HWY_INLINE int32_t MulHigh(int32_t a, int32_t b) {
  return static_cast<int32_t>((static_cast<uint64_t>(static_cast<uint32_t>(a)) * static_cast<uint32_t>(b)) >> 32);
}

}  // namespace HWY_NAMESPACE
}  // namespace heddle
HWY_AFTER_NAMESPACE();
#endif  // HEDDLE_RUNTIME_KERNEL_H
