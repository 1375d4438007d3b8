// A small transformer encoder with random weights.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/quantized_net.h"

namespace halftone::test {

struct EncoderShape {
  int64_t batch = 2, tokens = 12, width = 32, heads = 4, hidden = 64, layers = 2;
  bool whole_norm = true;  // LayerNormalization as one operator, or as the primitive ones that exporters write
  bool tanh = false;       // the feed-forward network's function: Tanh, or Gelu by Erf
};

class EncoderNet : public NetBuilder {
 public:
  EncoderNet(const EncoderShape& shape, uint64_t seed) : shape_(shape), rng_(seed) {
    model.graph.opset_imports[""] = 17;
    ValueId x = input("x", {shape.batch, shape.tokens, shape.width});
    for (int64_t i = 0; i < shape.layers; ++i) {
      const std::string stem = fmt::format("layer{}.", i);
      x = norm(add(x, attention(x, stem + "attention."), stem + "sum"), stem + "norm");
      x = norm(add(x, feed_forward(x, stem + "ffn."), stem + "ffn_sum"), stem + "ffn_norm");
    }
    const ValueId mean = node("ReduceMean", {x}, "mean", {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
    output(node("Gemm", {mean, weights("head.w", {10, shape.width}), bias("head.b", 10)}, "logits",
                {{"transB", int64_t{1}}}));
  }

 private:
  ValueId weights(const std::string& name, const Shape& dims) {
    // As trained ones are: columns of different sizes.
    std::vector<float> values = random_floats(rng_, element_count(dims), -1, 1);
    const double size = 1.7 / std::sqrt(static_cast<double>(shape_.width));
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] *= static_cast<float>(size * (0.5 + static_cast<double>(i % 7) / 7));
    }
    return constant(name, dims, values);
  }
  ValueId bias(const std::string& name, int64_t count) {
    return constant(name, {count}, random_floats(rng_, count, -0.3, 0.3));
  }
  ValueId add(ValueId a, ValueId b, const std::string& name) { return node("Add", {a, b}, name); }
  ValueId linear(ValueId x, int64_t from, int64_t to, const std::string& name) {
    return add(node("MatMul", {x, weights(name + ".w", {from, to})}, name + ".product"), bias(name + ".b", to), name);
  }
  ValueId scaled(ValueId x, float factor, const std::string& name) {
    return node("Mul", {x, constant(name + ".factor", {}, {factor})}, name);
  }

  // [batch, heads, tokens, width / heads]
  ValueId split_heads(ValueId x, const std::string& name) {
    const ValueId parts = node("Reshape", {x, integers(name + ".dims", {0, 0, shape_.heads, -1})}, name + ".parts");
    return node("Transpose", {parts}, name + ".heads", {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  }
  ValueId attention(ValueId x, const std::string& stem) {
    const auto projected = [&](const std::string& name) {
      return split_heads(linear(x, shape_.width, shape_.width, stem + name), stem + name);
    };
    const ValueId q = projected("q"), k = projected("k"), v = projected("v");
    const ValueId turned = node("Transpose", {k}, stem + "k.turned", {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
    const float factor = 1 / std::sqrt(static_cast<float>(shape_.width / shape_.heads));
    const ValueId scores = scaled(node("MatMul", {q, turned}, stem + "products"), factor, stem + "scores");
    const ValueId shares = node("Softmax", {scores}, stem + "shares", {{"axis", int64_t{-1}}});
    const ValueId mixed = node("MatMul", {shares, v}, stem + "mixed");
    const ValueId back = node("Transpose", {mixed}, stem + "back", {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
    const ValueId joined = node("Reshape", {back, integers(stem + "joined.dims", {0, 0, -1})}, stem + "joined");
    return linear(joined, shape_.width, shape_.width, stem + "out");
  }
  ValueId feed_forward(ValueId x, const std::string& stem) {
    const ValueId h = linear(x, shape_.width, shape_.hidden, stem + "up");
    ValueId y = h;
    if (shape_.tanh) {
      y = node("Tanh", {h}, stem + "tanh");
    } else {
      const ValueId erf = node("Erf", {scaled(h, 1 / std::sqrt(2.0F), stem + "ratio")}, stem + "erf");
      const ValueId share = node("Add", {erf, constant(stem + "one", {}, {1})}, stem + "share");
      y = scaled(node("Mul", {h, share}, stem + "double"), 0.5F, stem + "gelu");
    }
    return linear(y, shape_.hidden, shape_.width, stem + "down");
  }
  ValueId norm(ValueId x, const std::string& name) {
    const ValueId scale = constant(name + ".scale", {shape_.width}, random_floats(rng_, shape_.width, 0.7, 1.3));
    const ValueId shift = bias(name + ".shift", shape_.width);
    if (shape_.whole_norm) return node("LayerNormalization", {x, scale, shift}, name, {{"axis", int64_t{-1}}});
    const auto mean_of = [&](ValueId v, const std::string& part) {
      return node("ReduceMean", {v}, name + part, {{"axes", std::vector<int64_t>{-1}}, {"keepdims", int64_t{1}}});
    };
    const ValueId centred = node("Sub", {x, mean_of(x, ".mean")}, name + ".centred");
    const ValueId square = node("Pow", {centred, constant(name + ".two", {}, {2})}, name + ".square");
    const ValueId variance =
        node("Add", {mean_of(square, ".variance"), constant(name + ".epsilon", {}, {1e-5F})}, name + ".safe");
    const ValueId unit = node("Div", {centred, node("Sqrt", {variance}, name + ".deviation")}, name + ".unit");
    return add(node("Mul", {unit, scale}, name + ".scaled"), shift, name);
  }

  const EncoderShape shape_;
  Rng rng_;
};

}  // namespace halftone::test
