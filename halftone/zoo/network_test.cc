#include "halftone/zoo/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/graph/cost.h"
#include "halftone/graph/op_table.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/initialize.h"
#include "halftone/zoo/builder.h"
#include "tests/support/test_graph.h"

namespace halftone::zoo::network_test {
namespace {

Graph made(const std::string& text) { return make_network(parse_network(text)); }

// What is learned: running statistics of batch normalization are not.
int64_t learned(const Graph& graph) {
  int64_t numbers = 0;
  for (ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    if (value.name == "image" || value.name.find(".running_") != std::string::npos) continue;
    numbers += element_count(*value.type.fixed_shape());
  }
  return numbers;
}

int64_t macs(Graph graph) {
  const ValueId image = graph.find("image");
  Shape shape = {1};
  for (int64_t axis = 1; axis < 4; ++axis)
    shape.push_back((*graph.value(image).type.shape)[static_cast<size_t>(axis)].value);
  infer_shapes(graph, {{"image", shape}});
  int64_t sum = 0;
  for (const Node& node : graph.nodes()) sum += macs_of(graph, node).value();
  return sum;
}

std::string message_of(const std::string& text) {
  try {
    made(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
    return e.what();
  }
  return "";
}

// He et al. 2016, table 6, in millions: with identity shortcuts, to which ours add projections with their
// normalizations.
TEST(Zoo, ResNetsHaveThePapersParameters) {
  const struct {
    int64_t depth;
    double millions;
  } rows[] = {{20, 0.27}, {32, 0.46}, {44, 0.66}, {56, 0.85}, {110, 1.7}};
  for (const auto& row : rows) {
    const int64_t projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64;
    const double found =
        static_cast<double>(learned(made(fmt::format("resnet:depth={}", row.depth))) - projections) / 1e6;
    EXPECT_NEAR(found, row.millions, row.depth == 110 ? 0.05 : 0.005) << row.depth;
  }
  EXPECT_EQ(learned(made("resnet")), 272'474);
}

// Howard et al. 2017, tables 4, 6 and 7; Sandler et al. 2018, table 4; other widths of the second as its authors list
// the networks that they published.
TEST(Zoo, MobileNetsHaveThePapersParametersAndCost) {
  const struct {
    const char* text;
    double millions, mega_macs;
  } rows[] = {{"mobilenet_v1", 4.2, 569},
              {"mobilenet_v1:width=0.75", 2.6, 325},
              {"mobilenet_v1:width=0.5", 1.3, 149},
              {"mobilenet_v1:width=0.25", 0.5, 41},
              {"mobilenet_v1:size=128", 4.2, 186},
              {"mobilenet_v2", 3.4, 300},
              {"mobilenet_v2:width=1.4", 6.06, 582},
              {"mobilenet_v2:width=0.5", 1.95, 97}};
  for (const auto& row : rows) {
    const Graph graph = made(row.text);
    EXPECT_NEAR(static_cast<double>(learned(graph)) / 1e6, row.millions, 0.11) << row.text;
    EXPECT_NEAR(static_cast<double>(macs(graph)) / 1e6, row.mega_macs, 0.02 * row.mega_macs) << row.text;
  }
  EXPECT_EQ(learned(made("mobilenet_v1")), 4'231'976);
  EXPECT_EQ(learned(made("mobilenet_v2")), 3'504'872);
  EXPECT_EQ(macs(made("mobilenet_v2")), 300'774'272);
}

// Per block 12 width^2 weights (4 of attention, 8 of the feed-forward network), 9 width biases and 4 width of norms.
TEST(Zoo, TransformersHaveTheirParameters) {
  const int64_t w = 48, tokens = 25, depth = 3, classes = 7;
  const int64_t expected = depth * (12 * w * w + 13 * w) + 3 * 16 * w + w + tokens * w + 2 * w + classes * (w + 1);
  EXPECT_EQ(learned(made("transformer:depth=3:width=48:heads=3:patch=4:size=20:classes=7")), expected);
}

TEST(Zoo, ListedWordsAreAllOfThemWithTheirDefaults) {
  for (const NetworkInfo& info : all_networks()) {
    const Graph plain = made(std::string(info.name));
    const Graph spelled = made(fmt::format("{}:{}", info.name, info.words));
    ASSERT_EQ(plain.inputs().size(), spelled.inputs().size()) << info.name;
    for (ValueId id : plain.inputs()) EXPECT_EQ(plain.value(id).type, spelled.value(id).type) << info.name;
    EXPECT_EQ(plain.nodes().size(), spelled.nodes().size());
    const auto listed = parse_network(fmt::format("{}:{}", info.name, info.words)).words;
    const std::string hint = message_of(std::string(info.name) + ":no_such_word_at_all=1");
    for (const auto& [word, value] : listed) EXPECT_NE(hint.find(word), std::string::npos) << hint;
    EXPECT_FALSE(info.summary.empty());
    EXPECT_FALSE(info.source.empty());
  }
}

TEST(Zoo, NetworksComputeAndBatchesAreOfAnySize) {
  for (const char* text : {"resnet:depth=8:width=0.3:classes=5:size=13", "mobilenet_v1:width=0.1:classes=5:size=13",
                           "mobilenet_v2:width=0.1:classes=5:size=13",
                           "transformer:depth=2:width=12:heads=3:hidden=2:patch=3:classes=5:size=12"}) {
    SCOPED_TRACE(text);
    Graph graph = transform::initialize(made(text), {.seed = 5});
    verify(graph);
    ASSERT_EQ(graph.required_inputs().size(), 1U);
    EXPECT_EQ(to_string(graph.value(graph.outputs()[0]).type), "float[N, 5]");
    const Dim size = (*graph.value(graph.find("image")).type.shape)[2];
    const sim::Interpreter interpreter(std::move(graph));
    Tensor one(DType::Float, {1, 3, size.value, size.value}), two(DType::Float, {2, 3, size.value, size.value});
    Rng rng(1);
    for (float& x : one.mutable_data<float>()) x = static_cast<float>(rng.normal());
    for (float& x : two.mutable_data<float>()) x = static_cast<float>(rng.normal());
    std::copy(one.data<float>().begin(), one.data<float>().end(), two.mutable_data<float>().end() - one.size());
    const Tensor alone = interpreter.run({{"image", one}}).at("logits");
    const Tensor pair = interpreter.run({{"image", two}}).at("logits");
    ASSERT_EQ(pair.shape(), (Shape{2, 5}));
    bool differ = false;
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(alone.data<float>()[i], pair.data<float>()[i + 5], 1e-5);
      differ = differ || pair.data<float>()[i] != pair.data<float>()[i + 5];
      EXPECT_LT(std::abs(alone.data<float>()[i]), 1e3);
    }
    EXPECT_TRUE(differ) << "logits that don't see the image";
  }
}

TEST(Zoo, NamesAreThoseOfTrainingFrameworks) {
  const Graph graph = made("resnet");
  for (const char* name : {"conv1.weight", "layer1.0.conv1.weight", "layer2.0.shortcut.bn.running_var",
                           "layer3.2.bn2.bias", "layer3.2.conv2", "fc.weight", "fc.bias", "logits"}) {
    EXPECT_NE(graph.find(name), ValueId::None) << name;
  }
}

TEST(Zoo, ChannelsAreRoundedAsTheAuthorsDo) {
  EXPECT_EQ(scaled_by_8(32, 0.35), 16);  // 11.2: 8 would be less than 90 %
  EXPECT_EQ(scaled_by_8(24, 0.5), 16);   // 12, the middle goes up
  EXPECT_EQ(scaled_by_8(16, 0.35), 8);   // 5.6: at least 8
  EXPECT_EQ(scaled_by_8(64, 0.35), 24);  // 22.4
  EXPECT_EQ(scaled_by_8(1280, 1.4), 1792);
  EXPECT_EQ(scaled(16, 0.5), 8);
  EXPECT_EQ(scaled(16, 0.04), 1);
}

TEST(Zoo, Mistakes) {
  EXPECT_CONTAINS(message_of("resent"), "did you mean 'resnet'?");
  EXPECT_CONTAINS(message_of("mobilenet"), "mobilenet_v1");
  EXPECT_CONTAINS(message_of(""), "the name of a network is required");
  EXPECT_CONTAINS(message_of("resnet:depht=20"), "did you mean 'depth'?");
  EXPECT_CONTAINS(message_of("resnet:depth"), "WORD=VALUE");
  EXPECT_CONTAINS(message_of("resnet:depth=21"), "take 20 or 26");
  EXPECT_CONTAINS(message_of("resnet:depth=2"), "a whole number from 8");
  EXPECT_CONTAINS(message_of("resnet:depth=1000000"), "to 1202");
  EXPECT_CONTAINS(message_of("resnet:width=0.01"), "leaves none of 16 channels");
  EXPECT_CONTAINS(message_of("mobilenet_v2:width=0"), "leaves none of 32 channels");
  EXPECT_CONTAINS(message_of("mobilenet_v1:width=nan"), "a number from 0 to 16");
  EXPECT_CONTAINS(message_of("mobilenet_v1:size=1000000"), "'size'");
  EXPECT_CONTAINS(message_of("mobilenet_v1:classes=0"), "'classes'");
  EXPECT_CONTAINS(message_of("transformer:width=100:heads=3"), "multiple of 'heads'");
  EXPECT_CONTAINS(message_of("transformer:size=30"), "multiple of 'patch'");
  EXPECT_CONTAINS(message_of("transformer:size=2048:patch=1"), "at most 4096 patches");
}

}  // namespace
}  // namespace halftone::zoo::network_test
