// The room `search`: choices made by measured cost. It sees eval and calibrate.
//
// Minimum cuts: labels for things that cost what they are and what separates them from their neighbours.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace halftone::search {

// Every vertex gets one of two labels, A or B, so that the sum of what was added is the least possible.
// Costs are integers >= 0, e.g. nanoseconds. Exact: a minimum s-t cut (Boykov and Kolmogorov 2004, Boost.Graph).
class MinCut {
 public:
  static constexpr int64_t kNever = int64_t{1} << 50;

  // A vertex that costs `as_a` labelled A and `as_b` labelled B. Returns its number.
  int add_vertex(int64_t as_a, int64_t as_b);
  // Costs `cost` when `a` is labelled A while `b` is labelled B.
  void add_edge(int a, int b, int64_t cost);

  // True for the vertices labelled A. Ties may be broken either way.
  std::vector<bool> solve() const;

 private:
  struct Edge {
    int from, to;
    int64_t cost;
  };
  std::vector<std::pair<int64_t, int64_t>> vertices_;
  std::vector<Edge> edges_;
};

}  // namespace halftone::search
