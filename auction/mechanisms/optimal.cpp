#include "auction/mechanisms/assignment.hpp"

namespace bidboard {

Outcome optimal(const Problem& problem) {
  const Market market(problem);
  const assignment::Matrix matrix(problem, market);
  assignment::Solution solution = assignment::shortest_paths(matrix);
  std::optional<Certificate> certificate = assignment::certificate_of(matrix, solution.duals, solution.cost);
  Outcome out = assignment::line_up(matrix, std::move(solution));
  out.certificate = std::move(certificate);
  out.exact = true;
  return out;
}

}  // namespace bidboard
