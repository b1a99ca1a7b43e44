// Paired comparisons: the same seeds for both, ratios, intervals and significance. Pure; the resampling is
// seeded, so the same numbers give the same verdict.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bidboard {

/// The q-quantile (0 to 1) of the values by nearest rank. REQUIRES: at least one.
double quantile(std::vector<double> values, double q);

struct Interval {
  double low = 0;
  double high = 0;
};

/// a against b over the same seeds.
struct Comparison {
  double ratio = 1;  ///< geometric mean of a / b
  Interval ci;       ///< 95 %, of the ratio
  double p = 1;      ///< probability of so large a difference by chance
  std::size_t pairs = 0;
};

/// The 95 % percentile-bootstrap interval of the mean (Efron and Tibshirani, "An introduction to the
/// bootstrap", 1993, chapter 13), 2,000 resamples. REQUIRES: at least one value.
Interval mean_interval(std::span<const double> values);

/// Geometric mean and its interval. REQUIRES: positive values, at least one.
Comparison summarise(std::span<const double> values);

/// The same for the ratios a[i] / b[i], with the p of a two-sided sign-flip test on their logarithms (Fisher,
/// "The design of experiments", 1935, section 21): exact up to 20 pairs, else of 200,000 random flips.
/// REQUIRES: equally many, positive values.
Comparison compare(std::span<const double> a, std::span<const double> b);

/// a − b over the same seeds.
struct Difference {
  double mean = 0;
  Interval ci;  ///< 95 %, of the mean
  double p = 1;
  std::size_t pairs = 0;
};
/// The same for the differences a[i] − b[i]: for values that may be zero. REQUIRES: equally many, at least
/// one.
Difference differ(std::span<const double> a, std::span<const double> b);

/// Holm's correction for multiple comparisons (Scand. J. Statistics 6, 1979).
std::vector<double> holm(std::span<const double> p);

/// A difference with a larger corrected p is not significant.
constexpr double noise_level = 0.05;
/// A ratio closer to 1 counts as no difference, even if it is significant: in virtual time differences of
/// milliseconds are.
constexpr double least_ratio = 1.01;

/// y = factor × x^exponent, by least squares on logarithms. REQUIRES: positive values.
struct PowerLaw {
  double factor = 0;
  double exponent = 0;
};
PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y);

}  // namespace bidboard
