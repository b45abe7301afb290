// See Profile.h.
#include "runtime/Profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace heddle {

void Profile::add(const StepTrace& trace) {
  Row& row = rows[trace.kernel];
  row.seconds += trace.seconds;
  row.calls += 1;
  if (row.where.empty() && trace.step->where) row.where = trace.step->where;
}

std::string Profile::table(int64_t steps) const {
  std::vector<std::pair<std::string, Row>> sorted(rows.begin(), rows.end());
  std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.second.seconds > b.second.seconds; });
  double total = 0;
  for (auto& [name, row] : sorted) total += row.seconds;
  double n = double(std::max<int64_t>(1, steps));
  std::string text = fmt::format("batches: {:.3f} ms a step\n", batches * 1e3 / n);
  text += fmt::format("kernels: {:.3f} ms a step over {} steps\n", total * 1e3 / n, steps);
  for (auto& [name, row] : sorted)
    text += fmt::format("{:5.1f}%  {:9.3f} ms  {:5.1f} calls  {}  {}\n", 100 * row.seconds / total,
                        row.seconds * 1e3 / n, double(row.calls) / n, name, row.where);
  return text;
}

}  // namespace heddle
