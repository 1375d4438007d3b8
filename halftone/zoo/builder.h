// What the reference networks are built with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/quant/step_words.h"

namespace halftone::zoo {

struct ConvShape {
  int64_t in, out;
  int64_t kernel = 3, stride = 1, groups = 1;
};

// Lays layers one behind the other. A layer's name is that of its node and of its result; parameters are inputs called
// NAME.weight and the like.
class Builder {
 public:
  // Reads the words size and classes. Errors: Error{InvalidArgument} out of bounds.
  Builder(StepWords& words, int64_t usual_size, int64_t usual_classes, int64_t opset = 13);

  int64_t size() const { return size_; }
  ValueId image() const { return image_; }

  // One of ONNX's nodes with one result.
  ValueId node(std::string_view op, const std::string& name, std::vector<ValueId> inputs,
               std::vector<Attribute> attributes = {});
  ValueId parameter(const std::string& name, const Shape& shape);
  ValueId integers(const std::string& name, const std::vector<int64_t>& numbers);
  ValueId number(const std::string& name, float value);

  // Without bias, padded to keep the size at stride 1.
  ValueId conv(ValueId x, const std::string& name, const ConvShape& shape);
  ValueId batch_norm(ValueId x, const std::string& name, int64_t channels);
  ValueId relu(ValueId x, const std::string& name);
  // min(max(x, 0), 6).
  ValueId relu6(ValueId x, const std::string& name);
  ValueId add(ValueId a, ValueId b, const std::string& name);
  // Normalizes the last axis.
  ValueId layer_norm(ValueId x, const std::string& name, int64_t width);
  // x W + b over the last axis of a sequence.
  ValueId linear(ValueId x, const std::string& name, int64_t in, int64_t out);

  // The means of each channel, then the classifier.
  Graph classify_images(ValueId x, const std::string& name, int64_t channels);
  // From [N, channels] to the logits: the finished network.
  Graph classify(ValueId x, const std::string& name, int64_t channels);

 private:
  int64_t size_, classes_;
  Graph graph_;
  ValueId image_ = ValueId::None;
};

// `channels` times the word width, rounded, as a network without steps has them. Errors: Error{InvalidArgument} where
// none is left.
int64_t scaled(int64_t channels, double width);
// The same in steps of 8, at least 8 and never under 90 % of what is asked, as the authors' code of MobileNets rounds.
int64_t scaled_by_8(int64_t channels, double width);
// The word width as a factor of channels.
double read_width(StepWords& words);

}  // namespace halftone::zoo
