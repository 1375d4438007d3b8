#include "halftone/search/min_cut.h"

// GCC 12 can't see that the iterator over all edges sets its inner iterators before it reads them.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/boykov_kolmogorov_max_flow.hpp>

namespace halftone::search {
namespace {

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
using FlowGraph = boost::adjacency_list<
    boost::vecS, boost::vecS, boost::directedS,
    boost::property<boost::vertex_color_t, boost::default_color_type,
                    boost::property<boost::vertex_distance_t, int64_t,
                                    boost::property<boost::vertex_predecessor_t, Traits::edge_descriptor,
                                                    boost::property<boost::vertex_index_t, size_t>>>>,
    boost::property<boost::edge_capacity_t, int64_t,
                    boost::property<boost::edge_residual_capacity_t, int64_t,
                                    boost::property<boost::edge_reverse_t, Traits::edge_descriptor>>>>;

void add_arc(FlowGraph& graph, size_t from, size_t to, int64_t capacity) {
  const auto there = boost::add_edge(from, to, graph).first, back = boost::add_edge(to, from, graph).first;
  boost::put(boost::edge_capacity, graph, there, capacity);
  boost::put(boost::edge_capacity, graph, back, 0);
  boost::put(boost::edge_reverse, graph, there, back);
  boost::put(boost::edge_reverse, graph, back, there);
}

}  // namespace

int MinCut::add_vertex(int64_t as_a, int64_t as_b) {
  vertices_.emplace_back(as_a, as_b);
  return static_cast<int>(vertices_.size()) - 1;
}

void MinCut::add_edge(int a, int b, int64_t cost) { edges_.push_back({a, b, cost}); }

std::vector<bool> MinCut::solve() const {
  const size_t count = vertices_.size(), source = count, sink = count + 1;
  FlowGraph graph(count + 2);
  // Whoever stays with the source is labelled A, and pays by its arc to the sink.
  for (size_t i = 0; i < count; ++i) {
    add_arc(graph, source, i, vertices_[i].second);
    add_arc(graph, i, sink, vertices_[i].first);
  }
  for (const Edge& edge : edges_) {
    add_arc(graph, static_cast<size_t>(edge.from), static_cast<size_t>(edge.to), edge.cost);
  }
  boost::boykov_kolmogorov_max_flow(graph, source, sink);
  const auto colors = boost::get(boost::vertex_color, graph);
  std::vector<bool> labels(count);
  for (size_t i = 0; i < count; ++i) labels[i] = colors[i] == boost::black_color;
  return labels;
}

}  // namespace halftone::search

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
