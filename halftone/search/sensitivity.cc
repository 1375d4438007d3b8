#include "halftone/search/sensitivity.h"

#include <algorithm>
#include <map>
#include <set>

#include "halftone/eval/compare.h"
#include "halftone/ptq/samples.h"
#include "halftone/quant/assign.h"

namespace halftone::search {
namespace {

// The float network with the unit's weights as they are in the quantized one, and its grids.
QuantizedModel only(const Graph& graph, const QuantizedModel& model, const QuantizedUnit& unit) {
  QuantizedModel result{graph, {}, {}};
  for (const std::string& name : unit.grids) {
    result.encodings[name] = model.encodings.at(name);
    const ValueId id = result.graph.find(name);
    // Learned rounding left a constant that lies on its grid.
    if (result.graph.value(id).constant) {
      result.graph.value(id).constant = model.graph.value(model.graph.find(name)).constant;
    }
  }
  return result;
}

}  // namespace

std::vector<QuantizedUnit> units_of(const QuantizedModel& model) {
  const Graph& graph = model.graph;
  const GraphIndex index(graph);
  std::vector<QuantizedUnit> units;
  std::set<std::string> taken;
  const auto take = [&](QuantizedUnit& unit, ValueId id) {
    if (find_encoding(model, id) != nullptr && taken.insert(graph.value(id).name).second) {
      unit.grids.push_back(graph.value(id).name);
    }
  };
  std::map<int, size_t> unit_of;  // node -> position
  for (ValueId id : graph.inputs()) {
    QuantizedUnit unit{graph.value(id).name, "Input", {}};
    take(unit, id);
    if (!unit.grids.empty()) units.push_back(std::move(unit));
  }
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    // A result without a grid, read by an activation alone, is rounded after it: one unit.
    const int before = node.is("Relu") || node.is("Clip") ? index.producer(node.input(0)) : -1;
    const bool absorbed = before >= 0 && unit_of.contains(before) && find_encoding(model, node.input(0)) == nullptr;
    QuantizedUnit unit{layer_name(graph, node), node.op_type, {}};
    QuantizedUnit& target = absorbed ? units[unit_of.at(before)] : unit;
    for (ValueId id : node.inputs) {
      if (id != ValueId::None && graph.value(id).constant) take(target, id);
    }
    for (ValueId id : node.outputs) {
      if (id != ValueId::None) take(target, id);
    }
    if (absorbed) {
      unit_of[static_cast<int>(i)] = unit_of.at(before);
    } else if (!unit.grids.empty()) {
      unit_of[static_cast<int>(i)] = units.size();
      units.push_back(std::move(unit));
    }
  }
  return units;
}

std::vector<Sensitivity> one_at_a_time(const Graph& graph, const QuantizedModel& model,
                                       const std::vector<data::Batch>& samples, ThreadTeam& team,
                                       ProgressSink& progress) {
  const std::string output = graph.value(graph.outputs().at(0)).name;
  const auto run_all = [&](const QuantizedModel& network, const std::function<void(Tensor)>& fold) {
    const auto engine = eval::make_engine(eval::EngineKind::Auto, network);
    ptq::map_in_order<Tensor>(
        samples, team, [&](const data::Batch& batch) { return engine->run(batch.inputs).at(output); }, fold);
  };
  std::vector<Tensor> expected;
  run_all({graph, {}, {}}, [&](Tensor scores) { expected.push_back(std::move(scores)); });

  std::vector<Sensitivity> result;
  const std::vector<QuantizedUnit> units = units_of(model);
  progress.begin("looking for guilty layers", static_cast<int64_t>(units.size()), "layers");
  for (const QuantizedUnit& unit : units) {
    eval::Sqnr sqnr;
    size_t next = 0;
    run_all(only(graph, model, unit), [&](const Tensor& scores) { sqnr.add(expected[next++], scores); });
    result.push_back({unit, sqnr.decibel()});
    progress.advance(static_cast<int64_t>(result.size()));
  }
  progress.end();
  std::stable_sort(result.begin(), result.end(), [](const Sensitivity& a, const Sensitivity& b) {
    if (std::isnan(a.alone_db) != std::isnan(b.alone_db)) return std::isnan(a.alone_db);
    return a.alone_db < b.alone_db;
  });
  return result;
}

}  // namespace halftone::search
