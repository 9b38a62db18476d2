#pragma once
// Powers that are the same bits on every machine, which those of a C library need not be: only
// additions, multiplications and divisions of doubles, all of which IEEE 754 rounds exactly.

namespace pixpress {

// ln(x) / ln(2) for a positive, finite x, to about 1e-15.
constexpr double ReproducibleLog2(double x) {
  constexpr double kLn2 = 0.69314718055994530942;
  int exponent = 0;
  for (; x > 1.5; x /= 2) ++exponent;
  for (; x < 0.75; x *= 2) --exponent;
  const double t = (x - 1) / (x + 1);  // ln x = 2 (t + t^3 / 3 + t^5 / 5 ...), |t| <= 1 / 5
  double sum = 0;
  for (int k = 25; k >= 1; k -= 2) sum = sum * t * t + 1.0 / k;
  return exponent + 2 * t * sum / kLn2;
}

// 2^x for |x| < 1000, to about 1e-15 of it.
constexpr double ReproducibleExp2(double x) {
  constexpr double kLn2 = 0.69314718055994530942;
  const int whole = static_cast<int>(x);
  const double y = (x - whole) * kLn2;
  double power = 1;
  for (int k = 20; k >= 1; --k) power = 1 + power * y / k;
  for (int k = 0; k < whole; ++k) power *= 2;
  for (int k = 0; k > whole; --k) power /= 2;
  return power;
}

// base^exponent for a positive base.
constexpr double ReproduciblePower(double base, double exponent) {
  return ReproducibleExp2(exponent * ReproducibleLog2(base));
}

}  // namespace pixpress
