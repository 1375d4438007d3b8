#include "halftone/search/tune.h"

#include <cmath>
#include <map>
#include <set>

#include "halftone/eval/inputs.h"
#include "halftone/eval/latency.h"
#include "halftone/eval/profile.h"
#include "halftone/graph/op_table.h"
#include "halftone/search/conversion_time.h"
#include "halftone/search/min_cut.h"
#include "halftone/search/work_name.h"
#include "halftone/transform/pass.h"

namespace halftone::search {
namespace {

// Nodes that are computed together in the quantized network.
struct Layer {
  std::string name;        // of the first node, as describe() has it
  std::string work;        // of all of them
  std::vector<int> nodes;  // positions
  bool in_integers = false;
  double integer_us = 0, float_us = 0;

  // False also for what was folded away: it costs nothing in either form.
  bool is_choice() const { return in_integers && integer_us > 0; }
};

class Tuner {
 public:
  Tuner(const QuantizedModel& model, RequantizeMode mode, LatencyTable& table)
      : given_(model),
        mode_(mode),
        table_(table),
        inputs_(random_inputs(model.graph)),
        shapes_(eval::input_shapes(model.graph, 1)) {
    model_ = model;
    infer_shapes(model_.graph, shapes_);
  }

  Tuning run() {
    find_layers();
    find_times();
    return outcome(choose());
  }

 private:
  static TensorMap random_inputs(const Graph& graph) {
    Rng rng(1);
    return eval::random_inputs(graph, 1, rng);
  }
  const Graph& graph() const { return model_.graph; }
  QuantizedModel float_model() const { return {given_.graph, {}, {}}; }

  // The lowered network says what is computed together.
  void find_layers() {
    std::map<std::string, int> positions;
    for (size_t i = 0; i < graph().nodes().size(); ++i) {
      positions[describe(graph(), graph().nodes()[i])] = static_cast<int>(i);
    }
    layer_of_.assign(graph().nodes().size(), -1);
    SessionOptions options;
    options.requantize = mode_;
    for (const NodeNote& note : Session(given_, options).explain(shapes_)) {
      std::vector<std::string> names = {note.node};
      names.insert(names.end(), note.fused.begin(), note.fused.end());
      Layer layer{note.node, {}, {}, note.integers};
      for (const std::string& name : names) {
        const auto at = positions.find(name);
        if (at != positions.end()) layer.nodes.push_back(at->second);
      }
      add(std::move(layer));
    }
    // What was folded away costs nothing, whatever it is.
    for (size_t i = 0; i < layer_of_.size(); ++i) {
      if (layer_of_[i] < 0) add({describe(graph(), graph().nodes()[i]), {}, {static_cast<int>(i)}, true});
    }
  }

  void add(Layer layer) {
    for (int position : layer.nodes) {
      layer_of_[static_cast<size_t>(position)] = static_cast<int>(layers_.size());
      layer.work +=
          (layer.work.empty() ? "" : " + ") + work_name(graph(), graph().nodes()[static_cast<size_t>(position)]);
    }
    layers_.push_back(std::move(layer));
  }

  std::string integer_work(const Layer& layer) const {
    return (mode_ == RequantizeMode::Dyadic ? "int8 dyadic " : "int8 ") + layer.work;
  }
  static std::string float_work(const Layer& layer) { return "float " + layer.work; }

  void find_times() {
    const auto known = [&](const Layer& layer) {
      return table_.find(integer_work(layer)) && table_.find(float_work(layer));
    };
    for (const Layer& layer : layers_) {
      if (known(layer)) continue;
      measure_layers();
      break;
    }
    for (Layer& layer : layers_) {
      layer.integer_us = *table_.find(integer_work(layer));
      layer.float_us = *table_.find(float_work(layer));
    }
  }

  // Both networks as a whole: what a layer costs depends on what it is computed together with.
  void measure_layers() {
    std::map<std::string, size_t> by_node;
    for (size_t i = 0; i < layers_.size(); ++i) {
      for (int position : layers_[i].nodes) {
        by_node[describe(graph(), graph().nodes()[static_cast<size_t>(position)])] = i;
      }
    }
    const auto times = [&](const QuantizedModel& model, bool with_conversions) {
      const eval::Profile profile = eval::profile(model, inputs_, mode_, eval::kProfileSeconds);
      std::vector<double> microseconds(layers_.size());
      for (const eval::StepTime& step : profile.steps) {
        if (step.note < 0 || (!step.own && !with_conversions)) continue;
        const auto layer = by_node.find(profile.notes[static_cast<size_t>(step.note)].node);
        if (layer != by_node.end()) microseconds[layer->second] += step.microseconds;
      }
      return microseconds;
    };
    // Changes of layout among float layers belong to them; conversions to codes are counted between layers.
    const std::vector<double> in_integers = times(given_, false), in_float = times(float_model(), true);
    for (size_t i = 0; i < layers_.size(); ++i) {
      table_.add(integer_work(layers_[i]), in_integers[i]);
      table_.add(float_work(layers_[i]), in_float[i]);
    }
  }

  ConversionTime conversion(const Shape& shape) {
    const std::string name = to_string(shape);
    const std::optional<double> there = table_.find("quantize " + name), back = table_.find("dequantize " + name);
    if (there && back) return {*there, *back};
    const ConversionTime measured = measure_conversion(shape);
    table_.add("quantize " + name, measured.quantize_us);
    table_.add("dequantize " + name, measured.dequantize_us);
    return measured;
  }

  // The layers in integers, as labels of a minimum cut: A is integers. Costs in nanoseconds.
  std::vector<bool> choose() {
    const auto ns = [](double us) { return static_cast<int64_t>(std::llround(us * 1000)); };
    MinCut cut;
    for (const Layer& layer : layers_) {
      cut.add_vertex(layer.in_integers ? ns(layer.integer_us) : MinCut::kNever, ns(layer.float_us));
    }
    const int outside = cut.add_vertex(MinCut::kNever, 0);  // callers hand in and take out floats
    const GraphIndex index(graph());
    for (ValueId id : graph().live_values()) {
      const std::optional<Shape> shape = graph().value(id).type.fixed_shape();
      if (graph().value(id).constant || !shape || find_encoding(model_, id) == nullptr) continue;
      const int producer = index.producer(id);
      const int maker = producer < 0 ? outside : layer_of_[static_cast<size_t>(producer)];
      std::set<int> readers;
      for (int reader : index.consumers(id)) readers.insert(layer_of_[static_cast<size_t>(reader)]);
      if (index.is_graph_output(id)) readers.insert(outside);
      readers.erase(maker);
      if (readers.empty()) continue;
      // One conversion serves all readers: `floats` becomes B where one of them is, `codes` A.
      const ConversionTime time = conversion(*shape);
      const int floats = cut.add_vertex(0, 0), codes = cut.add_vertex(0, 0);
      cut.add_edge(maker, floats, ns(time.dequantize_us));
      cut.add_edge(codes, maker, ns(time.quantize_us));
      for (int reader : readers) {
        cut.add_edge(floats, reader, MinCut::kNever);
        cut.add_edge(reader, codes, MinCut::kNever);
      }
    }
    std::vector<bool> labels = cut.solve();
    labels.resize(layers_.size());
    return labels;
  }

  // Takes the encodings away that make layers integer ones.
  QuantizedModel apply(const std::vector<bool>& integers) const {
    QuantizedModel tuned = given_;
    const GraphIndex index(graph());
    const auto is_float = [&](int position) {
      return !integers[static_cast<size_t>(layer_of_[static_cast<size_t>(position)])];
    };
    for (size_t i = 0; i < graph().nodes().size(); ++i) {
      const Node& node = graph().nodes()[i];
      const Layer& layer = layers_[static_cast<size_t>(layer_of_[i])];
      if (!layer.in_integers || !is_float(static_cast<int>(i))) continue;
      for (ValueId id : node.inputs) {
        if (id != ValueId::None && graph().value(id).constant) tuned.encodings.erase(graph().value(id).name);
      }
      if (!layer.is_choice()) continue;
      const std::string name = node.name.empty() ? graph().value(node.outputs[0]).name : node.name;
      tuned.float_reasons[name] = fmt::format("measured: {:.1f} us in float, {:.1f} us in integers, conversions aside",
                                              layer.float_us, layer.integer_us);
    }
    for (ValueId id : graph().live_values()) {
      const std::vector<int>& readers = index.consumers(id);
      const int producer = index.producer(id);
      const bool among_floats =
          (producer < 0 || is_float(producer)) && std::all_of(readers.begin(), readers.end(), is_float);
      if (among_floats && !graph().value(id).constant) tuned.encodings.erase(graph().value(id).name);
    }
    return tuned;
  }

  Tuning outcome(const std::vector<bool>& integers) const {
    Tuning tuning;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!layers_[i].is_choice()) continue;
      tuning.layers.push_back({layers_[i].name, layers_[i].integer_us, layers_[i].float_us, integers[i]});
      tuning.left_in_float += integers[i] ? 0 : 1;
    }
    tuning.model = tuning.left_in_float == 0 ? given_ : apply(integers);
    return tuning;
  }

  const QuantizedModel& given_;
  RequantizeMode mode_;
  LatencyTable& table_;
  TensorMap inputs_;
  std::map<std::string, Shape> shapes_;  // of the inputs
  QuantizedModel model_;                 // with all shapes known
  std::vector<Layer> layers_;
  std::vector<int> layer_of_;  // by node
};

}  // namespace

Tuning choose_layers(const QuantizedModel& model, RequantizeMode mode, LatencyTable& table) {
  return Tuner(model, mode, table).run();
}

Tuning tune(const QuantizedModel& model, RequantizeMode mode, LatencyTable& table) {
  Tuning tuning = choose_layers(model, mode, table);
  SessionOptions options;
  options.requantize = mode;
  std::vector<Session> sessions = {Session(QuantizedModel{model.graph, {}, {}}), Session(model, options)};
  if (tuning.left_in_float > 0) sessions.emplace_back(tuning.model, options);
  Rng rng(1);
  const TensorMap inputs = eval::random_inputs(model.graph, 1, rng);
  std::vector<std::function<void()>> runs;
  for (const Session& session : sessions) runs.emplace_back([&] { static_cast<void>(session.run(inputs)); });
  // Contestants take turns, so that differences worth a layer show in less time than a benchmark's.
  const std::vector<eval::Latency> latencies = eval::measure_latency(runs, {.warm_up_seconds = 0.1, .seconds = 0.8});
  tuning.float_ms = latencies[0].median_ms;
  tuning.integer_ms = latencies[1].median_ms;
  tuning.tuned_ms = latencies.back().median_ms;
  if (tuning.tuned_ms > tuning.integer_ms) {
    tuning.model = model;
    tuning.tuned_ms = tuning.integer_ms;
    tuning.left_in_float = 0;
    for (TunedLayer& layer : tuning.layers) layer.integers = true;
  }
  return tuning;
}

}  // namespace halftone::search
