// Files are as small as the bits say, on a network of real size.
#include <gtest/gtest.h>

#include <algorithm>

#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/transform/fold_qdq.h"
#include "halftone/transform/insert_qdq.h"
#include "tests/support/testdata.h"

namespace halftone {
namespace {

// Every Conv's and Gemm's weights on grids by output channel of `bits`, over their own range.
QuantizedModel with_weights(Graph graph, int bits) {
  QuantizedModel model;
  model.graph = std::move(graph);
  QuantSpec spec;
  spec.bits = bits;
  spec.is_signed = spec.symmetric = spec.narrow_range = true;
  spec.granularity = Granularity::PerChannel;
  for (const Node& node : model.graph.nodes()) {
    if (!node.is("Conv") && !node.is("Gemm")) continue;
    const Value& value = model.graph.value(node.input(1));
    const Tensor& weights = *value.constant;
    const auto channels = static_cast<size_t>(weights.dim(0));
    const size_t each = static_cast<size_t>(weights.size()) / channels;
    std::vector<float> low, high;
    for (size_t c = 0; c < channels; ++c) {
      const auto channel = weights.data<float>().subspan(c * each, each);
      low.push_back(*std::min_element(channel.begin(), channel.end()));
      high.push_back(*std::max_element(channel.begin(), channel.end()));
    }
    model.encodings[value.name] = {choose_params(spec, low, high, 0), spec};
  }
  return model;
}

TEST(FileSize, IsWhatTheBitsSay) {
  const std::filesystem::path path = test::shared_folder() / "models/mobilenet_v2.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  Graph graph = onnx::import_model(path);
  infer_shapes(graph);
  for (const int bits : {8, 4, 3, 2}) {
    SCOPED_TRACE(bits);
    const QuantizedModel model = with_weights(graph, bits);
    // Codes and scales; zero points with types of ONNX's own; what is not quantized stays float32.
    int64_t weights = 0, floats = 0, grids = 0;
    for (ValueId id : model.graph.live_values()) {
      const Value& value = model.graph.value(id);
      if (!value.constant) continue;
      const Encoding* encoding = find_encoding(model, id);
      (encoding == nullptr ? floats : weights) += value.constant->size();
      if (encoding != nullptr) grids += static_cast<int64_t>(encoding->params.scale.size());
    }
    const int64_t zero_points = bits % 4 == 0 ? grids * bits / 8 : 0;
    const int64_t expected = weights * bits / 8 + floats * 4 + grids * 4 + zero_points;
    const std::string bytes = onnx::serialize_model(insert_qdq(model));
    const auto size = static_cast<int64_t>(bytes.size());
    EXPECT_GE(size, expected);
    EXPECT_LE(size, expected + 64 * 1024) << "what a network of 100 nodes costs beside its numbers";
    RecordProperty(fmt::format("bytes_at_{}_bits", bits), fmt::format("{} for {}", size, expected));
    Graph imported = onnx::import_model(std::as_bytes(std::span(bytes)));
    infer_shapes(imported);
    const QuantizedModel back = fold_qdq(std::move(imported));
    EXPECT_EQ(back.encodings, model.encodings);
    EXPECT_TRUE(onnx::serialize_model(insert_qdq(back)) == bytes) << "a second file differs";
  }
}

}  // namespace
}  // namespace halftone
