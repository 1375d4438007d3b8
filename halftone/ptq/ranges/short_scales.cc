#include "halftone/ptq/ranges/short_scales.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "halftone/quant/integer_plan.h"
#include "halftone/quant/short_scale.h"

namespace halftone::ptq {
namespace {

bool is_product(const IntegerNode& node) {
  return node.form == IntegerForm::Convolution || node.form == IntegerForm::TransposedConvolution ||
         node.form == IntegerForm::MatrixProduct;
}

bool is_simple(const QuantParams& params) {
  return params.per_tensor() && params.levels.empty() && params.channel_bits.empty();
}

// The even zero point next to where the old one's real 0 is on the new scale.
int32_t move_zero_point(const QuantParams& params, float scale) {
  const auto low = static_cast<double>(params.q_min), high = static_cast<double>(params.q_max);
  const double steps = (params.zero_point[0] - low) * (double{params.scale[0]} / double{scale}) + low;
  return static_cast<int32_t>(
      std::clamp(2 * std::nearbyint(steps / 2), 2 * std::ceil(low / 2), 2 * std::floor(high / 2)));
}

QuantParams shorten(const Encoding& encoding, int bits, double clip) {
  QuantParams params = encoding.params;
  const float scale = params.scale[0], below = short_scale_below(scale, bits);
  params.scale[0] = double{below} >= (1 - clip) * double{scale} ? below : short_scale_above(scale, bits);
  // A tie of denominator s is one of 1 / s as well.
  while (!keeps_ties(1, double{params.scale[0]})) {
    params.scale[0] = short_scale_above(std::nextafter(params.scale[0], INFINITY), bits);
  }
  if (!encoding.spec.symmetric) params.zero_point[0] = move_zero_point(encoding.params, params.scale[0]);
  return params;
}

class Shortener {
 public:
  Shortener(QuantizedModel& model, const ShortScales& options)
      : model_(model), options_(options), plan_(plan_integers(model)) {}

  void run() {
    for (const auto& node : plan_.nodes) {
      if (!node || node->dynamic) continue;
      const Node& found = node_of(*node);
      for (size_t i = 0; i < node->inputs.size(); ++i) {
        if (node->inputs[i]) note(model_.graph.value(found.inputs[i]).name);
      }
      for (const IntegerOutput& output : node->outputs) {
        if (output.grid) note(model_.graph.value(output.value).name);
      }
    }
    // Values on one grid stay on one: what becomes of it depends on nothing else.
    for (const std::string& name : activations_) {
      Encoding& encoding = model_.encodings.at(name);
      old_[name] = encoding;
      encoding.params = shorten(encoding, options_.activation_bits, options_.clip);
    }
    // Inputs are any real numbers: executors that multiply by 1 / s are as exact as those that divide by a power of
    // two.
    for (ValueId input : model_.graph.inputs()) make_power_of_two(model_.graph.value(input).name);
    while (shorten_sums()) continue;
    shorten_weights();
  }

 private:
  const Node& node_of(const IntegerNode& node) const { return model_.graph.nodes()[static_cast<size_t>(node.node)]; }
  void note(const std::string& name) {
    if (is_simple(model_.encodings.at(name).params)) activations_.insert(name);
  }
  float scale_of(ValueId id) const { return find_encoding(model_, id)->params.scale[0]; }

  // Takes the odd part from the scale of all values that had the same grid; false where there is none.
  bool make_power_of_two(const std::string& name) {
    if (!activations_.contains(name) || odd_part(model_.encodings.at(name).params.scale[0]) == 1) return false;
    const QuantParams grid = old_.at(name).params;
    for (const auto& [other, encoding] : old_) {
      if (encoding.params == grid) model_.encodings.at(other).params = shorten(encoding, 1, options_.clip);
    }
    return true;
  }

  // Executors that rewrite a s_a + b s_b as (a + b s_b / s_a) s_a need a quotient that is exact, too. True when a scale
  // changed, which may be an operand or the result of another sum.
  bool shorten_sums() {
    bool changed = false;
    for (const auto& node : plan_.nodes) {
      if (!node || node->form != IntegerForm::Sum || !node->outputs[0].grid) continue;
      std::vector<std::string> operands;
      std::set<int64_t> odd;
      for (ValueId input : node_of(*node).inputs) {
        const Encoding* operand = find_encoding(model_, input);
        if (operand == nullptr) continue;
        odd.insert(odd_part(operand->params.scale[0]));
        operands.push_back(model_.graph.value(input).name);
      }
      const std::string& name = model_.graph.value(node->outputs[0].value).name;
      if (odd.size() > 1) {
        for (const std::string& operand : operands) changed |= make_power_of_two(operand);
        odd = {1};
      }
      if (!odd.empty() && *odd.begin() % odd_part(scale_of(node->outputs[0].value)) != 0)
        changed |= make_power_of_two(name);
    }
    return changed;
  }

  void shorten_weights() {
    std::map<std::string, std::vector<const IntegerNode*>> readers;
    for (const auto& node : plan_.nodes) {
      if (!node || node->dynamic || !is_product(*node) || !node->weights.defined()) continue;
      readers[model_.graph.value(node_of(*node).inputs[1]).name].push_back(&*node);
    }
    for (const auto& [name, nodes] : readers) {
      for (float& scale : model_.encodings.at(name).params.scale) {
        scale = short_scale_above(scale, options_.weight_bits);
        const auto fits = [&](const IntegerNode* node) {
          const IntegerOutput& output = node->outputs[0];
          const double product = double{scale} * double{scale_of(node_of(*node).inputs[0])};
          return !output.grid || keeps_ties(product, double{scale_of(output.value)});
        };
        while (!std::all_of(nodes.begin(), nodes.end(), fits)) {
          scale = short_scale_above(std::nextafter(scale, INFINITY), options_.weight_bits);
        }
      }
    }
  }

  QuantizedModel& model_;
  const ShortScales& options_;
  const IntegerPlan plan_;
  std::set<std::string> activations_;
  std::map<std::string, Encoding> old_;
};

}  // namespace

float short_scale_below(float scale, int bits) {
  int exponent = 0;
  const float mantissa = std::frexp(scale, &exponent);
  return std::ldexp(std::floor(std::ldexp(mantissa, bits)), exponent - bits);
}

float short_scale_above(float scale, int bits) {
  int exponent = 0;
  const float mantissa = std::frexp(scale, &exponent);
  return std::ldexp(std::ceil(std::ldexp(mantissa, bits)), exponent - bits);
}

bool keeps_ties(double numerator, double denominator) {
  const double real = numerator / denominator;
  const auto rounded = static_cast<double>(static_cast<float>(real));
  int exponent = 0;
  const double mantissa = 2 * std::frexp(rounded, &exponent);
  const double error = std::abs(std::ldexp(rounded - real, 24 - exponent));  // in units of the last place
  // A tie T of mantissa m is off by error * m / mantissa of its own last places; m < 2.
  return error * 2 / mantissa < 0.5;
}

void shorten_scales(Workbench& bench, const ShortScales& options) {
  const Encodings old = bench.model.encodings;
  const size_t refused = plan_integers(bench.model).refusals.size();
  Shortener(bench.model, options).run();
  if (plan_integers(bench.model).refusals.size() <= refused) return;
  // A smaller scale was too small for a bias.
  bench.model.encodings = old;
  Shortener(bench.model, {options.activation_bits, options.weight_bits, 0}).run();
}

}  // namespace halftone::ptq
