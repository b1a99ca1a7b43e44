#include "experiments/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "blackboard/checks/check.hpp"
#include "blackboard/random.hpp"

namespace bidboard {
namespace {

constexpr int resamples = 2'000;
constexpr std::size_t exact_pairs = 20;
constexpr int random_flips = 200'000;
constexpr std::uint64_t seed = 20'240'117;

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Sums so near the observed one count as equal to it: it is added up in another order.
bool reaches(double sum, double observed) { return std::abs(sum) >= observed * (1 - 1e-9); }

/// Walks all signs in Gray-code order, one flip at a time.
double exact_p(std::span<const double> differences, double observed) {
  std::vector<double> sign(differences.size(), 1);
  double sum = std::accumulate(differences.begin(), differences.end(), 0.0);
  const std::uint64_t count = std::uint64_t{1} << differences.size();
  std::uint64_t extreme = reaches(sum, observed);
  for (std::uint64_t i = 1; i < count; ++i) {
    const auto bit = static_cast<std::size_t>(__builtin_ctzll(i));
    sum -= 2 * sign[bit] * differences[bit];
    sign[bit] = -sign[bit];
    extreme += reaches(sum, observed);
  }
  return static_cast<double>(extreme) / static_cast<double>(count);
}

double random_p(std::span<const double> differences, double observed) {
  // Eight at a time: the sum of each group under all 256 ways to sign it.
  constexpr std::size_t group = 8;
  std::vector<std::array<double, 256>> sums((differences.size() + group - 1) / group);
  for (std::size_t g = 0; g < sums.size(); ++g)
    for (std::size_t signs = 0; signs < sums[g].size(); ++signs) {
      sums[g][signs] = 0;
      for (std::size_t k = g * group; k < std::min(differences.size(), (g + 1) * group); ++k)
        sums[g][signs] += (signs >> (k % group) & 1) != 0 ? differences[k] : -differences[k];
    }
  Random random(seed);
  int extreme = 1;  // what was observed is one of them
  for (int i = 0; i < random_flips; ++i) {
    double sum = 0;
    std::uint64_t bits = 0;
    for (std::size_t g = 0; g < sums.size(); ++g) {
      bits = g % 8 == 0 ? random.next() : bits >> group;
      sum += sums[g][bits & 255];
    }
    extreme += reaches(sum, observed);
  }
  return static_cast<double>(extreme) / (random_flips + 1);
}

std::vector<double> logs_of(std::span<const double> values) {
  std::vector<double> logs;
  for (const double value : values) logs.push_back(std::log(value));
  return logs;
}

}  // namespace

double quantile(std::vector<double> values, double q) {
  BB_CHECK(!values.empty(), "a quantile is one of the values");
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

Interval mean_interval(std::span<const double> values) {
  Random random(seed);
  std::vector<double> means;
  for (int i = 0; i < resamples; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < values.size(); ++k) sum += values[random.below(values.size())];
    means.push_back(sum / static_cast<double>(values.size()));
  }
  std::sort(means.begin(), means.end());
  return {means[resamples / 40], means[resamples - 1 - resamples / 40]};
}

Comparison summarise(std::span<const double> values) {
  const std::vector<double> logs = logs_of(values);
  const Interval ci = mean_interval(logs);
  return {std::exp(mean_of(logs)), {std::exp(ci.low), std::exp(ci.high)}, 1, values.size()};
}

Comparison compare(std::span<const double> a, std::span<const double> b) {
  const Difference logs = differ(logs_of(a), logs_of(b));
  return {std::exp(logs.mean), {std::exp(logs.ci.low), std::exp(logs.ci.high)}, logs.p, logs.pairs};
}

Difference differ(std::span<const double> a, std::span<const double> b) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);
  Difference difference{mean_of(differences), mean_interval(differences), 1, differences.size()};
  const double observed = std::abs(std::accumulate(differences.begin(), differences.end(), 0.0));
  if (observed > 0)
    difference.p =
        differences.size() <= exact_pairs ? exact_p(differences, observed) : random_p(differences, observed);
  return difference;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.size(), 1);
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, p[order[rank]] * static_cast<double>(p.size() - rank)));
    corrected[order[rank]] = largest;
  }
  return corrected;
}

PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y) {
  const std::vector<double> log_x = logs_of(x);
  const std::vector<double> log_y = logs_of(y);
  const double mean_x = mean_of(log_x);
  const double mean_y = mean_of(log_y);
  double above = 0;
  double below = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    above += (log_x[i] - mean_x) * (log_y[i] - mean_y);
    below += (log_x[i] - mean_x) * (log_x[i] - mean_x);
  }
  const double exponent = below == 0 ? 0 : above / below;
  return {std::exp(mean_y - exponent * mean_x), exponent};
}

}  // namespace bidboard
