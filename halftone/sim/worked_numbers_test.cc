// The worked numbers of docs/quantization.md, recomputed with the functions that the library uses.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "halftone/quant/dynamic_grid.h"
#include "halftone/quant/grid.h"
#include "halftone/quant/requantize.h"
#include "halftone/sim/integer_test_runs.h"

namespace halftone::sim::worked_numbers_test {
namespace {

// "name key=value key=value" of one line.
struct Example {
  std::string name, expected;
  std::map<std::string, std::string> arguments;

  float real(const std::string& key) const { return std::stof(arguments.at(key)); }
  int32_t integer(const std::string& key) const { return static_cast<int32_t>(std::stol(arguments.at(key))); }
  std::vector<int32_t> list(const std::string& key) const {
    std::vector<int32_t> values;
    std::stringstream stream(arguments.at(key));
    for (std::string item; std::getline(stream, item, ',');) values.push_back(std::stoi(item));
    return values;
  }
  std::vector<float> reals(const std::string& key) const {
    std::vector<float> values;
    std::stringstream stream(arguments.at(key));
    for (std::string item; std::getline(stream, item, ',');) values.push_back(std::stof(item));
    return values;
  }
  // "0..255"
  std::pair<int32_t, int32_t> bounds(const std::string& key) const {
    const std::string& text = arguments.at(key);
    return {std::stoi(text), std::stoi(text.substr(text.find("..") + 2))};
  }
};

std::vector<Example> examples() {
  std::ifstream page("docs/quantization.md");
  std::vector<Example> found;
  bool in_block = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```")) in_block = !in_block;
    const size_t arrow = line.find(" -> ");
    if (!in_block || arrow == std::string::npos) continue;
    Example example;
    example.expected = line.substr(arrow + 4);
    std::stringstream words(line.substr(0, arrow));
    words >> example.name;
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      example.arguments[word.substr(0, equals)] = word.substr(equals + 1);
    }
    found.push_back(std::move(example));
  }
  return found;
}

QuantParams grid_of(const Example& e, const std::string& s, const std::string& z, const std::string& bounds) {
  const auto [low, high] = e.bounds(bounds);
  return test::per_tensor(low < 0 ? DType::Int8 : DType::UInt8, e.real(s), e.integer(z), low, high);
}

// A number on a grid of weights, which is laid over a range or made of values.
std::string run_round(const Example& e) {
  QuantSpec spec;
  spec.grid = e.arguments.at("grid");
  spec.bits = e.integer("bits");
  spec.is_signed = spec.symmetric = spec.narrow_range = true;
  std::vector<float> values;
  Slice slice;
  if (e.arguments.contains("values")) {
    values = e.reals("values");
    slice.values = values;
  } else {
    slice.range = {e.real("low"), e.real("high")};
  }
  const QuantParams grid = lay_grid(spec, std::span(&slice, 1), -1);
  return fmt::format("{:.9g}", fake_quantize(Tensor::scalar(e.real("x")), grid).data<float>()[0]);
}

// A network of one node on scalars; what it gives for the codes of its inputs.
std::string run_add(const Example& e) {
  test::NetBuilder net;
  const QuantParams a = test::uint8_grid(e.real("s_a"), e.integer("z_a"));
  TensorMap inputs = {{"a", Tensor::scalar(dequantize(e.integer("a"), a.scale[0], a.zero_point[0]))}};
  std::vector<ValueId> operands = {net.input("a", {}, a)};
  if (e.arguments.contains("b")) {
    const QuantParams b = test::uint8_grid(e.real("s_b"), e.integer("z_b"));
    operands.push_back(net.input("b", {}, b));
    inputs["b"] = Tensor::scalar(dequantize(e.integer("b"), b.scale[0], b.zero_point[0]));
  } else {
    operands.push_back(net.constant("c", {}, {e.real("c")}));
  }
  net.output(net.node("Add", operands, "y", grid_of(e, "s_y", "z_y", "bounds")));
  const auto mode = e.name.starts_with("dyadic") ? RequantizeMode::Dyadic : RequantizeMode::Float;
  EXPECT_TRUE(plan_integers(net.model, mode).refusals.empty());
  return fmt::format("{}", record(net.model, inputs, mode).codes_of("y")[0]);
}

// One output of a convolution over as many channels as there are products.
std::string run_sum(const Example& e) {
  const std::vector<int32_t> x = e.list("x"), w = e.list("w");
  const auto channels = static_cast<int64_t>(x.size());
  test::NetBuilder net;
  std::vector<float> real, weights(w.begin(), w.end());
  for (int32_t q : x) real.push_back(static_cast<float>(q - e.integer("z_x")));
  const ValueId in = net.input("x", {1, channels, 1, 1}, test::uint8_grid(1, e.integer("z_x")));
  net.output(net.node("Conv",
                      {in, net.constant("w", {1, channels, 1, 1}, weights, test::weight_grid({1}, 0)),
                       net.constant("b", {1}, {e.real("bias")})},
                      "y"));
  const Tensor y = record(net.model, {{"x", Tensor::from({1, channels, 1, 1}, real)}}).real.at("y");
  return fmt::format("{}", to_vector<int64_t>(y)[0]);
}

std::string run_proof(const Example& e) {
  test::NetBuilder net;
  const int64_t k = e.integer("k");
  const std::vector<float> weights(static_cast<size_t>(k), e.real("w"));
  const ValueId x = net.input("x", {1, k}, test::per_tensor(DType::UInt8, 1, 0, 0, e.integer("x")));
  net.output(net.node("MatMul", {x, net.constant("w", {k, 1}, weights, test::weight_grid({1}, -1))}, "y"));
  return plan_integers(net.model).nodes[0] ? "fits" : "refused";
}

std::string run_bias(const Example& e) {
  test::NetBuilder net;
  const ValueId x = net.input("x", {1, 1}, test::uint8_grid(e.real("s_x"), 0));
  net.output(net.node("Gemm",
                      {x, net.constant("w", {1, 1}, {0}, test::weight_grid({e.real("s_w")}, -1)),
                       net.constant("b", {1}, {e.real("b")})},
                      "y"));
  return fmt::format("{}", plan_integers(net.model).nodes[0]->bias[0]);
}

std::string run_mean_multiplier(const Example& e) {
  IntegerNode node;
  node.inputs = {Grid{DType::UInt8, e.real("s_x"), 0, 0, 255}};
  node.outputs.resize(1);
  node.outputs[0].grid = Grid{DType::UInt8, e.real("s_y"), 0, 0, 255};
  return fmt::format("{:.9g}", node.mean_multiplier(e.integer("n")));
}

// A row times a column.
std::string run_dynamic(const Example& e) {
  std::vector<float> x, w;
  std::stringstream numbers(e.arguments.at("x"));
  for (std::string item; std::getline(numbers, item, ',');) x.push_back(std::stof(item));
  for (int32_t q : e.list("w")) w.push_back(dequantize(q, e.real("s_w"), 0));
  const auto k = static_cast<int64_t>(x.size());
  test::NetBuilder net;
  net.output(net.node("Gemm",
                      {net.input("x", {1, k}), net.constant("w", {k, 1}, w, test::weight_grid({e.real("s_w")}, -1)),
                       net.constant("b", {1}, {e.real("bias")})},
                      "y"));
  net.model.dynamic["y"] = DynamicRange::PerTensor;
  const Tensor y = record(net.model, {{"x", Tensor::from({1, k}, x)}}).real.at("y");
  return fmt::format("{:.9g}", to_vector<float>(y)[0]);
}

std::string run_function(const Example& e) {
  test::NetBuilder net;
  const QuantParams x = test::uint8_grid(e.real("s_x"), e.integer("z_x"));
  net.model.graph.opset_imports = {{"", 14}};
  net.output(net.node(e.arguments.at("f"), {net.input("x", {}, x)}, "y", grid_of(e, "s_y", "z_y", "codes")));
  const Tensor real = Tensor::scalar(dequantize(e.integer("q"), x.scale[0], x.zero_point[0]));
  return fmt::format("{}", record(net.model, {{"x", real}}).codes_of("y")[0]);
}

std::string compute(const Example& e) {
  if (e.name == "round") return run_round(e);
  if (e.name == "quantize") {
    const auto [low, high] = e.bounds("codes");
    return fmt::format("{}", quantize(e.real("x"), e.real("s"), e.integer("z"), low, high));
  }
  if (e.name == "dequantize") return fmt::format("{:.9g}", dequantize(e.integer("q"), e.real("s"), e.integer("z")));
  if (e.name == "requantize") {
    const auto [low, high] = e.bounds("bounds");
    return fmt::format("{}", requantize(e.integer("acc"), e.real("M"), e.integer("z"), low, high));
  }
  if (e.name == "multiplier") return fmt::format("{:.9g}", make_multiplier(e.real("a"), e.real("b"), e.real("c")));
  if (e.name == "real") {
    const float step = make_multiplier(e.real("s_x"), e.real("s_w"), 1);
    return fmt::format("{:.9g}", static_cast<float>(e.integer("acc")) * step);
  }
  if (e.name.ends_with("add") || e.name.ends_with("add_constant")) return run_add(e);
  if (e.name == "dyadic") {
    const Dyadic dyadic = make_dyadic(e.real("M"));
    return fmt::format("{} >> {}", dyadic.multiplier, dyadic.shift);
  }
  if (e.name == "dyadic_requantize") {
    const auto [low, high] = e.bounds("bounds");
    return fmt::format("{}", requantize_dyadic(e.integer("acc"), make_dyadic(e.real("M")), e.integer("z"), low, high));
  }
  if (e.name == "dyadic_sum") {
    const DyadicSum sum = *make_dyadic_sum(e.real("M_a"), e.integer("reach_a"), e.real("M_b"), e.integer("reach_b"));
    return fmt::format("{} {} >> {}", sum.multiplier_a, sum.multiplier_b, sum.shift);
  }
  if (e.name == "sum") return run_sum(e);
  if (e.name == "proof") return run_proof(e);
  if (e.name == "bias") return run_bias(e);
  if (e.name == "dynamic_grid") {
    const Grid grid = dynamic_grid(e.real("low"), e.real("high"));
    return fmt::format("s={:.9g} z={}", grid.scale, grid.zero_point);
  }
  if (e.name == "dynamic") return run_dynamic(e);
  if (e.name == "mean_multiplier") return run_mean_multiplier(e);
  if (e.name == "function") return run_function(e);
  return "unknown example " + e.name;
}

TEST(WorkedNumbers, OfTheDocumentationAreRight) {
  const std::vector<Example> all = examples();
  ASSERT_GE(all.size(), 20U) << "docs/quantization.md was not found or has lost its numbers";
  for (const Example& example : all) {
    std::string text = example.name;
    for (const auto& [key, value] : example.arguments) text += fmt::format(" {}={}", key, value);
    EXPECT_EQ(compute(example), example.expected) << text;
  }
}

}  // namespace
}  // namespace halftone::sim::worked_numbers_test
