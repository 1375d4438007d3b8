#include "halftone/ptq/rounding/learn.h"

#include <gtest/gtest.h>

#include "halftone/ptq/test_bench.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

// A residual block with a depthwise and a grouped layer, and a classifier whose inputs outnumber the samples.
Graph block_net() {
  Net net({Dim("N"), Dim(3), Dim(8), Dim(8)});
  const std::vector<int64_t> same = {1, 1, 1, 1};
  net.layer("Conv", "stem", "x", random_tensor({8, 3, 3, 3}, 1, 0.3), random_tensor({8}, 2))
      .set_attribute("pads", same);
  net.add("Relu", "stem_relu", {"stem"});
  Node& depthwise = net.layer("Conv", "depthwise", "stem_relu", random_tensor({8, 1, 3, 3}, 3, 0.3));
  depthwise.set_attribute("pads", same);
  depthwise.set_attribute("group", int64_t{8});
  net.add("Clip", "clip",
          {"depthwise", net.constant("zero", Tensor::scalar(0.0F)), net.constant("six", Tensor::scalar(6.0F))});
  net.layer("Conv", "project", "clip", random_tensor({8, 4, 1, 1}, 4, 0.4), random_tensor({8}, 5))
      .set_attribute("group", int64_t{2});
  net.add("Add", "sum", {"stem_relu", "project"});
  net.add("Relu", "sum_relu", {"sum"});
  net.add("Flatten", "flat", {"sum_relu"});
  net.layer("Gemm", "scores", "flat", random_tensor({512, 5}, 6, 0.05), random_tensor({5}, 7));
  return net.finish("scores");
}

// Of the float outputs of a network with the model's weights: mean squared difference to the reference's.
double output_error(const Workbench& bench, Samples& samples) {
  const Session reference(bench.reference), model(with_rounded_weights(bench.model));
  double error = 0;
  for (const data::Batch& batch : samples.kept()) {
    const Tensor a = reference.run(batch.inputs).begin()->second, b = model.run(batch.inputs).begin()->second;
    for (size_t i = 0; i < a.data<float>().size(); ++i) {
      const double d = double{a.data<float>()[i]} - b.data<float>()[i];
      error += d * d;
    }
  }
  return error;
}

Bench block_bench(int threads = 2, int64_t batch = 1) {
  return {block_net(), random_samples({1, 3, 8, 8}, 24, 50), make_recipe("int4", "uint8", "per_channel", "min_max"),
          threads, batch};
}

LearnOptions options_of(std::string_view method) {
  LearnOptions options;
  options.solve.method = &find_rounding_method(method);
  options.solve.iterations = 200;
  return options;
}

TEST(LearnRounding, BringsTheOutputsNearer) {
  Bench nearest = block_bench();
  const double before = output_error(nearest.bench, nearest.samples);
  for (const RoundingMethod& method : all_rounding_methods()) {
    Bench bench = block_bench();
    learn_rounding(bench.bench, options_of(method.name));
    const double after = output_error(bench.bench, bench.samples);
    EXPECT_LT(after, (method.learns ? 0.3 : 1.0) * before) << method.name;
    for (const char* name : {"stem_w", "depthwise_w", "project_w", "scores_w"}) {
      const Tensor& weights = *bench.bench.model.graph.value(bench.bench.model.graph.find(name)).constant;
      const QuantParams& params = bench.bench.model.encodings.at(name).params;
      EXPECT_TRUE(fake_quantize(weights, params).same_as(weights)) << name;
    }
    // The reference stays what it was, and the model a network of integers.
    EXPECT_FALSE(
        bench.bench.reference.value(bench.bench.reference.find("stem_w"))
            .constant->same_as(*bench.bench.model.graph.value(bench.bench.model.graph.find("stem_w")).constant));
    const IntegerPlan plan = plan_integers(bench.bench.model);
    for (size_t i = 0; i < plan.nodes.size(); ++i) {
      const std::string& op = bench.bench.model.graph.nodes()[i].op_type;
      if (op == "Conv" || op == "Gemm") {
        EXPECT_TRUE(plan.nodes[i].has_value()) << op;
      }
    }
  }
}

TEST(LearnRounding, NeitherThreadsNorRunsMakeADifference) {
  Bench one = block_bench(1), three = block_bench(3);
  learn_rounding(one.bench, options_of("coordinate_descent"));
  learn_rounding(three.bench, options_of("coordinate_descent"));
  for (ValueId id : one.bench.model.graph.live_values()) {
    const Value& value = one.bench.model.graph.value(id);
    if (!value.constant) continue;
    const Graph& other = three.bench.model.graph;
    EXPECT_TRUE(value.constant->same_as(*other.value(other.find(value.name)).constant)) << value.name;
  }
  EXPECT_EQ(one.bench.model.encodings, three.bench.model.encodings);
}

TEST(LearnRounding, OnlyTheLayersAskedFor) {
  Bench bench = block_bench(), untouched = block_bench();
  LearnOptions options = options_of("gptq");
  options.layers = "proj*";
  learn_rounding(bench.bench, options);
  for (const char* name : {"stem_w", "depthwise_w", "project_w", "scores_w"}) {
    const auto weights = [&](const Bench& b) {
      return *b.bench.model.graph.value(b.bench.model.graph.find(name)).constant;
    };
    EXPECT_EQ(weights(bench).same_as(weights(untouched)), std::string(name) != "project_w") << name;
  }
}

// One image, and batches of which the last is smaller.
TEST(LearnRounding, FewSamplesAndBatches) {
  for (const int count : {1, 7}) {
    Bench bench(block_net(), random_samples({1, 3, 8, 8}, count, 60),
                make_recipe("int4", "uint8", "per_channel", "min_max"), 2, 3);
    const double before = output_error(bench.bench, bench.samples);
    learn_rounding(bench.bench, options_of("coordinate_descent"));
    EXPECT_LT(output_error(bench.bench, bench.samples), before);
  }
}

}  // namespace
}  // namespace halftone::ptq
