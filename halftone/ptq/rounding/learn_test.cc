#include "halftone/ptq/rounding/learn.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "halftone/base/file.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq::learn_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

// A residual block with a depthwise and a grouped layer, and a classifier whose inputs outnumber the samples.
Graph block_net() {
  Net net({Dim("N"), Dim(3), Dim(4), Dim(4)});
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
  net.layer("Gemm", "scores", "flat", random_tensor({128, 5}, 6, 0.1), random_tensor({5}, 7));
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
  return {block_net(), random_samples({1, 3, 4, 4}, 24, 50), make_recipe("int4", "uint8", "per_channel", "min_max"),
          threads, batch};
}

LearnOptions options_of(std::string_view method) {
  LearnOptions options;
  options.solve.method = &find_rounding_method(method);
  options.solve.iterations = 200;
  return options;
}

void expect_same(const Bench& a, const Bench& b) {
  for (ValueId id : a.bench.model.graph.live_values()) {
    const Value& value = a.bench.model.graph.value(id);
    if (!value.constant) continue;
    const Graph& other = b.bench.model.graph;
    EXPECT_TRUE(value.constant->same_as(*other.value(other.find(value.name)).constant)) << value.name;
  }
  EXPECT_EQ(a.bench.model.encodings, b.bench.model.encodings);
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
  expect_same(one, three);
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
    Bench bench(block_net(), random_samples({1, 3, 4, 4}, count, 60),
                make_recipe("int4", "uint8", "per_channel", "min_max"), 2, 3);
    const double before = output_error(bench.bench, bench.samples);
    learn_rounding(bench.bench, options_of("coordinate_descent"));
    EXPECT_LT(output_error(bench.bench, bench.samples), before);
  }
}

// Ends the work after so many layers, as a user would, and keeps what it is told.
class Interrupting final : public ProgressSink {
 public:
  explicit Interrupting(int64_t layers) : layers_(layers) {}
  void begin(std::string_view, int64_t, std::string_view) override {}
  void advance(int64_t done) override {
    if (done == layers_) throw std::runtime_error("interrupted");
  }
  void end() override {}
  void note(std::string_view text) override { notes += std::string(text) + "\n"; }

  std::string notes;

 private:
  int64_t layers_;
};

std::filesystem::path journal_path(const std::string& name) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / ("halftone_" + name + ".journal");
  std::filesystem::remove(path);
  return path;
}

TEST(LearnRounding, GoesOnWhereItWasInterrupted) {
  Bench whole = block_bench();
  learn_rounding(whole.bench, options_of("coordinate_descent"));
  for (const int64_t layers : {1, 2, 3, 4}) {
    const auto path = journal_path("resumed");
    Bench first = block_bench(), second = block_bench(1);
    Interrupting interrupting(layers), quiet(-1);
    first.bench.journal = second.bench.journal = path;
    first.bench.progress = &interrupting;
    second.bench.progress = &quiet;
    EXPECT_THROW(learn_rounding(first.bench, options_of("coordinate_descent")), std::runtime_error);
    ASSERT_TRUE(std::filesystem::exists(path));
    learn_rounding(second.bench, options_of("coordinate_descent"));
    EXPECT_NE(quiet.notes.find(std::to_string(layers) + " layers are taken"), std::string::npos) << quiet.notes;
    expect_same(whole, second);
    std::filesystem::remove(path);
  }
}

TEST(LearnRounding, AJournalThatIsForeignOrDamagedIsIgnored) {
  Bench whole = block_bench();
  learn_rounding(whole.bench, options_of("gptq"));
  const auto path = journal_path("foreign");
  Bench maker = block_bench();
  maker.bench.journal = path;
  learn_rounding(maker.bench, options_of("nearest"));
  const std::string foreign = read_file(path);
  std::filesystem::remove(path);
  Bench own = block_bench();
  own.bench.journal = path;
  learn_rounding(own.bench, options_of("gptq"));
  const std::string good = read_file(path);
  std::string flipped = good;
  flipped[good.size() / 2] ^= 1;
  for (const std::string& content : {foreign, flipped, good.substr(0, good.size() - 3), good.substr(0, 25), good + "x",
                                     std::string("hello"), std::string()}) {
    write_file(path, content);
    Bench bench = block_bench();
    Interrupting quiet(-1);
    bench.bench.journal = path;
    bench.bench.progress = &quiet;
    learn_rounding(bench.bench, options_of("gptq"));
    EXPECT_NE(quiet.notes.find("is not used"), std::string::npos);
    expect_same(whole, bench);
    EXPECT_EQ(read_file(path), good);
  }
  std::filesystem::remove(path);
}

TEST(LearnRounding, AJournalThatCannotBeWrittenCostsNothingElse) {
  Bench whole = block_bench(), bench = block_bench();
  learn_rounding(whole.bench, options_of("gptq"));
  Interrupting quiet(-1);
  bench.bench.journal = "/nonexistent/halftone.journal";
  bench.bench.progress = &quiet;
  learn_rounding(bench.bench, options_of("gptq"));
  const size_t remark = quiet.notes.find("/nonexistent/halftone.journal");
  ASSERT_NE(remark, std::string::npos);
  EXPECT_EQ(quiet.notes.find("/nonexistent/halftone.journal", remark + 1), std::string::npos) << quiet.notes;
  expect_same(whole, bench);
}

}  // namespace
}  // namespace halftone::ptq::learn_test
