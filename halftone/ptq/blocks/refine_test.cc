#include "halftone/ptq/blocks/refine.h"

#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/ptq/rounding/learn.h"
#include "halftone/ptq/step.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/temp_folder.h"

namespace halftone::ptq::refine_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

// A stem, two residual blocks (the second with a depthwise layer) and a last layer. One channel of the first block is
// dead: always 0 behind its Relu.
Graph residual_network() {
  Net net({Dim("N"), 3, 8, 8});
  const auto conv = [&](const std::string& name, const std::string& input, int64_t from, int64_t group, uint64_t seed,
                        double bias) -> Node& {
    Node& node = net.layer("Conv", name, input, random_tensor({6, from / group, 3, 3}, seed, group == 1 ? 0.2 : 0.4),
                           random_tensor({6}, seed + 50, 0.1, bias));
    node.set_attribute("pads", std::vector<int64_t>{1, 1, 1, 1});
    node.set_attribute("group", group);
    return node;
  };
  conv("stem", "x", 3, 1, 1, 0);
  net.add("Relu", "r0", {"stem"});
  Node& first = conv("a1", "r0", 6, 1, 2, 0);
  net.graph.value(first.inputs[2]).constant->mutable_data<float>()[4] = -100;
  net.add("Relu", "a2", {"a1"});
  conv("a3", "a2", 6, 1, 3, 0);
  net.add("Add", "a", {"a3", "r0"});
  net.add("Relu", "r1", {"a"});
  conv("b1", "r1", 6, 6, 4, 0.1);
  net.add("Relu", "b2", {"b1"});
  net.layer("Conv", "b3", "b2", random_tensor({6, 6, 1, 1}, 5, 0.4));
  net.add("Add", "b", {"b3", "r1"});
  net.layer("Conv", "last", "b", random_tensor({4, 6, 8, 8}, 6, 0.1));
  return net.finish("last");
}

Recipe four_bits() { return make_recipe("int4", "uint4", "per_channel", "mse"); }

Recipe coarse() { return make_recipe("int3", "uint4", "per_channel", "mse"); }

RefineOptions quick() { return {.images = 64, .iterations = 200, .batch = 8}; }

std::vector<Tensor> samples(int count, uint64_t seed) { return random_samples({1, 3, 8, 8}, count, seed); }

double error_of(const Bench& made, const std::string& value, const std::vector<Tensor>& inputs) {
  Graph graph = made.bench.reference;
  QuantizedModel part = made.bench.model;
  graph.outputs() = part.graph.outputs() = {graph.find(value)};
  const sim::Interpreter reference(graph), model(part);
  double error = 0;
  for (const Tensor& x : inputs) {
    const Tensor expected = reference.run({{"x", x}}).at(value), found = model.run({{"x", x}}).at(value);
    for (size_t i = 0; i < static_cast<size_t>(expected.size()); ++i) {
      const double difference = double{expected.data<float>()[i]} - double{found.data<float>()[i]};
      error += difference * difference;
    }
  }
  return error;
}

TEST(RefineBlocks, BlocksComeOutCloserThanRounded) {
  const auto seen = samples(48, 100), unseen = samples(16, 900);
  for (const bool weights : {false, true}) {
    RefineOptions options = quick();
    options.weights = weights;
    Bench rounded(residual_network(), seen, coarse()), refined(residual_network(), seen, coarse());
    refine_blocks(refined.bench, options);
    for (const char* value : {"r1", "b", "last"}) {
      EXPECT_LT(error_of(refined, value, seen), 0.9 * error_of(rounded, value, seen)) << value;
      EXPECT_LT(error_of(refined, value, unseen), 0.9 * error_of(rounded, value, unseen)) << value;
    }
  }
}

// Learned rounding has left little to gain: nothing is lost behind it, and scales that hurt are found.
TEST(RefineBlocks, BehindLearnedRounding) {
  const auto seen = samples(48, 100), unseen = samples(16, 900);
  Bench rounded(residual_network(), seen, coarse()), refined(residual_network(), seen, coarse());
  for (Bench* made : {&rounded, &refined}) {
    LearnOptions options;
    options.solve.method = &find_rounding_method("coordinate_descent");
    learn_rounding(made->bench, options);
    for (const char* value : {"a2", "b2"}) made->bench.model.encodings.at(value).params.scale[0] *= 2;
  }
  refine_blocks(refined.bench, quick());
  for (const char* value : {"r1", "b"}) {
    EXPECT_LT(error_of(refined, value, unseen), 0.95 * error_of(rounded, value, unseen)) << value;
  }
}

TEST(RefineBlocks, WeightsLieOnTheirGridsAndSumsKeepTheirs) {
  Bench made(residual_network(), samples(48, 100), coarse());
  const Encodings before = made.bench.model.encodings;
  RefineOptions options = quick();
  options.weights = true;
  refine_blocks(made.bench, options);
  const QuantizedModel& model = made.bench.model;
  EXPECT_NE(model.encodings, before);
  int changed = 0;
  for (const auto& [name, encoding] : model.encodings) {
    const auto& constant = model.graph.value(model.graph.find(name)).constant;
    if (constant || code_bits(encoding.params) == 8) {
      EXPECT_EQ(encoding, before.at(name)) << name;
    }
    // Blocks for which nothing better was found keep numbers that are rounded later.
    if (constant && !constant->same_as(*made.bench.reference.value(made.bench.reference.find(name)).constant)) {
      ++changed;
      EXPECT_TRUE(fake_quantize(*constant, encoding.params).same_as(*constant)) << name;
    }
  }
  EXPECT_GE(changed, 1);
}

QuantizedModel refined(int threads, const RefineOptions& options, int count = 16) {
  Bench made(residual_network(), samples(count, 100), four_bits(), threads);
  refine_blocks(made.bench, options);
  return std::move(made.bench.model);
}

void expect_same(const QuantizedModel& a, const QuantizedModel& b) {
  EXPECT_EQ(a.encodings, b.encodings);
  for (ValueId id : a.graph.live_values()) {
    const Value& value = a.graph.value(id);
    const ValueId other = b.graph.find(value.name);
    ASSERT_NE(other, ValueId::None);
    if (!value.constant) continue;
    EXPECT_TRUE(value.constant->same_as(*b.graph.value(other).constant)) << value.name;
  }
}

TEST(RefineBlocks, ThreadsMakeNoDifference) { expect_same(refined(1, quick()), refined(3, quick())); }

TEST(RefineBlocks, OtherSeedsGiveOtherNumbers) {
  RefineOptions other = quick();
  other.seed = 1;
  EXPECT_NE(refined(2, quick()).encodings, refined(2, other).encodings);
}

TEST(RefineBlocks, OneSampleWorks) {
  const QuantizedModel model = refined(2, {.iterations = 20}, 1);
  sim::Interpreter(model).run({{"x", samples(1, 5).front()}});
}

// Stops after so many blocks.
class Interruption : public ProgressSink {
 public:
  explicit Interruption(int64_t after) : after_(after) {}
  void begin(std::string_view, int64_t, std::string_view) override {}
  void advance(int64_t done) override {
    if (done >= after_) throw std::runtime_error("interrupted");
  }
  void end() override {}
  void note(std::string_view text) override { notes += std::string(text); }
  std::string notes;

 private:
  int64_t after_;
};

TEST(RefineBlocks, AnInterruptedRunGoesOn) {
  const halftone::test::TempFolder folder;
  const auto run = [&](Interruption& progress, bool with_journal) {
    Bench made(residual_network(), samples(16, 100), four_bits());
    made.bench.progress = &progress;
    if (with_journal) made.bench.journal = folder.path() / "journal";
    refine_blocks(made.bench, quick());
    return std::move(made.bench.model);
  };
  Interruption never(1000), soon(2), watched(1000);
  const QuantizedModel whole = run(never, false);
  EXPECT_THROW(run(soon, true), std::runtime_error);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "journal.blocks"));
  expect_same(run(watched, true), whole);
  EXPECT_NE(watched.notes.find("2 layers are taken from"), std::string::npos) << watched.notes;
}

TEST(RefineBlocks, WhatCanNotBeLearnedStaysAsItIs) {
  Recipe codebook = four_bits();
  codebook.weights.grid = "codebook";
  codebook.weights.observer = "min_max";
  Bench made(residual_network(), samples(8, 100), codebook);
  const Graph before = made.bench.model.graph;
  refine_blocks(made.bench, quick());
  for (const char* name : {"stem_w", "a1_w", "b3_w"}) {
    EXPECT_TRUE(
        made.bench.model.graph.value(before.find(name)).constant->same_as(*before.value(before.find(name)).constant));
  }
}

TEST(RefineBlocks, NothingRoundedNothingToDo) {
  Bench made(residual_network(), samples(4, 100));
  made.bench.model.encodings.clear();
  refine_blocks(made.bench, quick());
  EXPECT_TRUE(made.bench.model.encodings.empty());
}

TEST(RefineBlocks, DataIsRequired) {
  Bench made(residual_network(), samples(1, 100));
  made.bench.samples = nullptr;
  EXPECT_THROW(refine_blocks(made.bench, {}), Error);
}

TEST(RefineBlocks, WordsAreChecked) {
  EXPECT_THROW(check_steps(parse_steps("refine_blocks:iteration=3")), Error);
  EXPECT_THROW(check_steps(parse_steps("refine_blocks:batch=0")), Error);
  EXPECT_NO_THROW(check_steps(parse_steps("round, refine_blocks:iterations=3:drop=false, search_ranges")));
}

}  // namespace
}  // namespace halftone::ptq::refine_test
