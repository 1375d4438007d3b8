#include "halftone/ptq/bits/channel_grids.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "halftone/ptq/test_bench.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"

namespace halftone::ptq::channel_grids_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

// Channels that differ by orders of magnitude, one of them dead.
Graph uneven_network() {
  Net net({Dim("N"), 3, 5, 5});
  Tensor weights = random_tensor({8, 3, 1, 1}, 1);
  for (size_t i = 0; i < 24; ++i) weights.mutable_data<float>()[i] *= std::ldexp(1.0f, static_cast<int>(i / 3) - 4);
  for (size_t i = 6; i < 9; ++i) weights.mutable_data<float>()[i] = 0;
  net.layer("Conv", "c", "x", weights);
  net.add("Relu", "r", {"c"});
  net.layer("Conv", "d", "r", random_tensor({2, 8, 1, 1}, 3));
  return net.finish("d");
}

double mean_bits(const QuantParams& params) {
  return std::accumulate(params.channel_bits.begin(), params.channel_bits.end(), 0.0) /
         static_cast<double>(params.channel_bits.size());
}

const Recipe kFourBits = make_recipe("int4", "uint4", "per_channel", "min_max");

TEST(ChannelGrids, WeightsKeepTheirMeanWidthAndStayInIntegers) {
  Bench made(uneven_network(), random_samples({1, 3, 5, 5}, 4, 10), kFourBits);
  const size_t refused = plan_integers(made.bench.model).refusals.size();
  allocate_weight_bits(made.bench, "*", 0);
  const QuantParams& params = made.bench.model.encodings.at("c_w").params;
  EXPECT_NEAR(mean_bits(params), 4, 0.01);
  EXPECT_EQ(params.channel_bits[2], 0);
  EXPECT_LT(params.channel_bits[0], params.channel_bits[7]);
  EXPECT_NO_THROW(check_params(params, {8, 3, 1, 1}, "c_w"));
  EXPECT_EQ(plan_integers(made.bench.model).refusals.size(), refused);
  allocate_weight_bits(made.bench, "c", 5);
  EXPECT_NEAR(mean_bits(made.bench.model.encodings.at("c_w").params), 5, 0.01);
}

TEST(ChannelGrids, ActivationsKeepTheirMeanWidthAndSayWhatBecomesFloat) {
  Bench made(uneven_network(), random_samples({1, 3, 5, 5}, 4, 10), kFourBits);
  allocate_activation_bits(made.bench, "r", 0, 100);
  const QuantParams& params = made.bench.model.encodings.at("r").params;
  EXPECT_EQ(params.axis, 1);
  EXPECT_NEAR(mean_bits(params), 4, 0.01);
  EXPECT_NO_THROW(check_params(params, {1, 8, 5, 5}, "r"));
  EXPECT_TRUE(made.bench.model.encodings.at("x").params.per_tensor()) << "the pattern speaks of r";
  EXPECT_TRUE(made.bench.model.float_reasons.contains("d"));
}

TEST(ChannelGrids, TheEngineComputesWhatTheReferenceDoes) {
  const auto samples = random_samples({1, 3, 5, 5}, 4, 10);
  Bench made(uneven_network(), samples, kFourBits);
  allocate_weight_bits(made.bench, "*", 0);
  const sim::Interpreter reference(made.bench.model);
  const Session session(made.bench.model);
  for (const Tensor& sample : samples) {
    EXPECT_TRUE(session.run({{"x", sample}}).at("d").same_as(reference.run({{"x", sample}}).at("d")));
  }
}

TEST(ChannelGrids, ThreadsMakeNoDifference) {
  const auto found = [](int threads) {
    Bench made(uneven_network(), random_samples({1, 3, 5, 5}, 7, 10), kFourBits, threads);
    allocate_activation_bits(made.bench, "*", 0, 100);
    return made.bench.model.encodings;
  };
  EXPECT_EQ(found(1), found(2));
  EXPECT_EQ(found(1), found(5));
}

}  // namespace
}  // namespace halftone::ptq::channel_grids_test
