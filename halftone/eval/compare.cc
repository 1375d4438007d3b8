#include "halftone/eval/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "halftone/base/error.h"
#include "halftone/eval/batches.h"

namespace halftone::eval {
namespace {

struct Result {
  int64_t images = 0, rows = 0, equal_rows = 0;
  Sqnr output;
  std::vector<Sqnr> layers;
  std::vector<bool> seen;  // by layer: both networks showed it
};

// Index of the largest element; NaN never wins, the first of equals does.
int64_t argmax(std::span<const float> row) {
  int64_t best = 0;
  float best_score = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i] > best_score) {
      best_score = row[i];
      best = static_cast<int64_t>(i);
    }
  }
  return best;
}

void require_same_shape(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != DType::Float || b.dtype() != DType::Float) {
    fail(ErrorCode::InvalidModel, "compare", "both models must give float tensors of one shape, found {} {} and {} {}",
         name_of(a.dtype()), to_string(a.shape()), name_of(b.dtype()), to_string(b.shape()));
  }
}

void compare_rows(const Tensor& reference, const Tensor& other, Result& result) {
  require_same_shape(reference, other);
  if (reference.size() == 0 || reference.rank() == 0) return;
  const auto width = static_cast<size_t>(reference.shape().back());
  for (size_t at = 0; at < static_cast<size_t>(reference.size()); at += width) {
    const bool equal =
        argmax(reference.data<float>().subspan(at, width)) == argmax(other.data<float>().subspan(at, width));
    result.equal_rows += equal;
    ++result.rows;
  }
}

}  // namespace

void Sqnr::add(const Tensor& reference, const Tensor& other) {
  require_same_shape(reference, other);
  const std::span<const float> f = reference.data<float>();
  const std::span<const float> q = other.data<float>();
  double signal = 0, noise = 0;
  for (size_t i = 0; i < f.size(); ++i) {
    const double difference = static_cast<double>(f[i]) - q[i];
    signal += static_cast<double>(f[i]) * f[i];
    noise += difference * difference;
  }
  signal_ += signal;
  noise_ += noise;
}

void Sqnr::add(const Sqnr& other) {
  signal_ += other.signal_;
  noise_ += other.noise_;
}

double Sqnr::decibel() const {
  if (noise_ == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal_ / noise_);
}

std::vector<LayerComparison> common_layers(const QuantizedModel& reference, const QuantizedModel& model) {
  const GraphIndex reference_index(reference.graph);
  std::vector<LayerComparison> layers;
  for (const Node& node : model.graph.nodes()) {
    const bool has_weights = node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm") || node.is("MatMul");
    for (ValueId id : node.outputs) {
      if (id == ValueId::None || (!has_weights && find_encoding(model, id) == nullptr)) continue;
      const std::string& name = model.graph.value(id).name;
      const ValueId in_reference = reference.graph.find(name);
      if (in_reference == ValueId::None || reference_index.producer(in_reference) < 0) continue;
      layers.push_back({name, node.op_type, 0});
    }
  }
  return layers;
}

Comparison compare(const Engine& reference, const Engine& model, const std::string& reference_output,
                   const std::string& model_output, std::vector<LayerComparison> layers, data::Loader& loader,
                   ThreadTeam& team, ProgressSink& progress) {
  std::map<std::string, size_t, std::less<>> layer_index;
  for (size_t i = 0; i < layers.size(); ++i) layer_index[layers[i].name] = i;

  const auto run_both = [&](const data::Batch& batch) {
    Result result;
    result.images = static_cast<int64_t>(batch.ids.size());
    result.layers.resize(layers.size());
    result.seen.resize(layers.size());
    std::vector<Tensor> kept(layers.size());
    const TensorMap expected = reference.run(batch.inputs, [&](std::string_view name, const Tensor& value) {
      const auto found = layer_index.find(name);
      if (found == layer_index.end()) return;
      // What a tap sees is only there during the call.
      Tensor copy(value.dtype(), value.shape());
      std::copy(value.bytes().begin(), value.bytes().end(), copy.mutable_bytes().begin());
      kept[found->second] = std::move(copy);
    });
    const TensorMap actual = model.run(batch.inputs, [&](std::string_view name, const Tensor& value) {
      const auto found = layer_index.find(name);
      if (found == layer_index.end() || !kept[found->second].defined()) return;
      if (value.dtype() == DType::Float) result.layers[found->second].add(kept[found->second], value);
      result.seen[found->second] = true;
      kept[found->second] = {};
    });
    const Tensor& expected_output = expected.at(reference_output);
    const Tensor& actual_output = actual.at(model_output);
    compare_rows(expected_output, actual_output, result);
    result.output.add(expected_output, actual_output);
    return result;
  };

  Result total;
  total.layers.resize(layers.size());
  total.seen.resize(layers.size());
  map_batches<Result>(loader, team, progress, run_both, [&](const Result& result) {
    total.images += result.images;
    total.rows += result.rows;
    total.equal_rows += result.equal_rows;
    total.output.add(result.output);
    for (size_t i = 0; i < layers.size(); ++i) {
      total.layers[i].add(result.layers[i]);
      total.seen[i] = total.seen[i] || result.seen[i];
    }
  });
  if (total.images == 0)
    fail(ErrorCode::InvalidData, "compare", "at least one sample is required, the data set has none");

  std::vector<LayerComparison> compared;
  for (size_t i = 0; i < layers.size(); ++i) {
    layers[i].sqnr_db = total.layers[i].decibel();
    if (total.seen[i]) compared.push_back(std::move(layers[i]));
  }
  layers = std::move(compared);
  // NaN first: a layer that left the finite numbers is the worst there is.
  std::stable_sort(layers.begin(), layers.end(), [](const LayerComparison& a, const LayerComparison& b) {
    if (std::isnan(a.sqnr_db) != std::isnan(b.sqnr_db)) return std::isnan(a.sqnr_db);
    return a.sqnr_db < b.sqnr_db;
  });
  return {total.images, total.rows == 0 ? 0 : static_cast<double>(total.equal_rows) / static_cast<double>(total.rows),
          total.output.decibel(), std::move(layers)};
}

}  // namespace halftone::eval
