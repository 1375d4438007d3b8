// Against trying every labelling.
#include "halftone/search/min_cut.h"

#include <gtest/gtest.h>

#include "halftone/base/rng.h"

namespace halftone::search::min_cut_test {
namespace {

TEST(MinCut, IsTheLeastOfAllLabellings) {
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    const int count = 1 + static_cast<int>(rng.below(9));
    MinCut cut;
    std::vector<std::pair<int64_t, int64_t>> own;
    struct Edge {
      int a, b;
      int64_t cost;
    };
    std::vector<Edge> edges;
    for (int i = 0; i < count; ++i) {
      own.emplace_back(rng.below(20), rng.below(20));
      EXPECT_EQ(cut.add_vertex(own.back().first, own.back().second), i);
    }
    for (uint64_t e = rng.below(20); e > 0; --e) {
      edges.push_back({static_cast<int>(rng.below(count)), static_cast<int>(rng.below(count)),
                       static_cast<int64_t>(rng.below(15))});
      cut.add_edge(edges.back().a, edges.back().b, edges.back().cost);
    }
    const auto cost_of = [&](const auto& is_a) {
      int64_t cost = 0;
      for (int i = 0; i < count; ++i)
        cost += is_a(i) ? own[static_cast<size_t>(i)].first : own[static_cast<size_t>(i)].second;
      for (const Edge& edge : edges) cost += is_a(edge.a) && !is_a(edge.b) ? edge.cost : 0;
      return cost;
    };
    int64_t least = MinCut::kNever;
    for (int labels = 0; labels < 1 << count; ++labels) {
      least = std::min(least, cost_of([&](int i) { return (labels >> i & 1) != 0; }));
    }
    const std::vector<bool> found = cut.solve();
    EXPECT_EQ(cost_of([&](int i) { return found[static_cast<size_t>(i)]; }), least);
  }
}

TEST(MinCut, WhatMayNeverBeIsNot) {
  MinCut cut;
  const int a = cut.add_vertex(5, MinCut::kNever), b = cut.add_vertex(MinCut::kNever, 0), c = cut.add_vertex(1, 3);
  cut.add_edge(a, c, 100);
  cut.add_edge(c, b, 1);
  EXPECT_EQ(cut.solve(), (std::vector<bool>{true, false, true}));
}

}  // namespace
}  // namespace halftone::search::min_cut_test
