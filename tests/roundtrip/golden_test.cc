// What the shared models are known to be: the layers that their papers and sources describe.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "halftone/onnx/onnx.h"
#include "tests/support/testdata.h"

namespace halftone {
namespace {

struct Expected {
  const char* file;
  int nodes;
  // Convolutions and normalizations, from the architecture: MobileNetV2 has a stem, 17 blocks of 3 (the first of 2) and
  // a head, 52 in all; a CIFAR ResNet-n has n - 1 convolutions beside its classifier.
  int convolutions, normalizations;
};

class SharedModel : public testing::TestWithParam<Expected> {};

TEST_P(SharedModel, HasTheLayersItIsKnownFor) {
  const Expected& expected = GetParam();
  const auto path = test::shared_folder() / "models" / expected.file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs the shared models; set HALFTONE_SHARED";
  const Graph graph = onnx::import_model(path);
  std::map<std::string, int> count;
  for (const Node& node : graph.nodes()) ++count[node.op_type];
  EXPECT_EQ(static_cast<int>(graph.nodes().size()), expected.nodes);
  EXPECT_EQ(count["Conv"], expected.convolutions);
  EXPECT_EQ(count["BatchNormalization"], expected.normalizations);
  ASSERT_EQ(graph.required_inputs().size(), 1U);
  const TensorType& input = graph.value(graph.required_inputs()[0]).type;
  EXPECT_EQ(input.dtype, DType::Float);
  ASSERT_TRUE(input.ranked());
  ASSERT_EQ(input.rank(), 4);
  EXPECT_EQ((*input.shape)[1], Dim(3));
}

INSTANTIATE_TEST_SUITE_P(
    Golden, SharedModel,
    testing::Values(Expected{"mobilenet_v2.onnx", 100, 52, 0}, Expected{"mobilenet_v2_tfslim.onnx", 100, 52, 0},
                    Expected{"mobilenet_v2_tfslim_bn.onnx", 152, 52, 52}, Expected{"resnet20_cifar10.onnx", 73, 19, 19},
                    Expected{"resnet56_cifar10.onnx", 199, 55, 55}, Expected{"resnet8_mlperf_tiny.onnx", 29, 9, 7},
                    Expected{"ultraface_rfb320.onnx", 242, 52, 35}, Expected{"vww_mobilenet_v1_025.onnx", 84, 27, 27}),
    [](const auto& test) {
      std::string name = test.param.file;
      return name.substr(0, name.find('.'));
    });

}  // namespace
}  // namespace halftone
