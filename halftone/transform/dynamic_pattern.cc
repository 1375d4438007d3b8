#include "halftone/transform/dynamic_pattern.h"

#include <cfloat>

#include "halftone/transform/qdq_params.h"

namespace halftone::dynamic_pattern {

const Node* Matcher::made_by(ValueId id, std::string_view op) const {
  if (id == ValueId::None || index_.producer(id) < 0) return nullptr;
  const Node& node = graph_.nodes()[static_cast<size_t>(index_.producer(id))];
  return node.is(op) ? &node : nullptr;
}

const Node* Matcher::read_by(ValueId id, std::string_view op) const {
  const int reader = id == ValueId::None ? -1 : index_.sole_consumer(id);
  if (reader < 0) return nullptr;
  const Node& node = graph_.nodes()[static_cast<size_t>(reader)];
  return node.is(op) ? &node : nullptr;
}

ValueId Matcher::other(const Node& node, ValueId id) {
  if (node.input(0) == id) return node.input(1);
  return node.input(1) == id ? node.input(0) : ValueId::None;
}

bool Matcher::casts_to(const Node* node, DType dtype) const {
  return node != nullptr && node->int_or("to", 0) == static_cast<int64_t>(dtype);
}

bool Matcher::is_number(ValueId id, float number) const {
  const Tensor* constant = qdq::fixed_constant(graph_, index_, id);
  return constant != nullptr && constant->dtype() == DType::Float && constant->size() == 1 &&
         constant->data<float>()[0] == number;
}

ValueId Matcher::beside(ValueId result, std::string_view op, float number) const {
  const Node* node = made_by(result, op);
  if (node == nullptr || node->inputs.size() != 2) return ValueId::None;
  return is_number(node->inputs[1], number) ? node->inputs[0] : ValueId::None;
}

ValueId Matcher::clipped(ValueId result) const {
  const Node* clip = made_by(result, "Clip");
  const bool codes = clip != nullptr && is_number(clip->input(1), 0) && is_number(clip->input(2), 255);
  return codes ? clip->input(0) : ValueId::None;
}

bool Matcher::reduces_rows(ValueId id, std::string_view op, ValueId x) const {
  const Node* node = made_by(id, op);
  if (node == nullptr || node->input(0) != x || node->int_or("keepdims", 1) != 1) return false;
  std::vector<int64_t> axes = node->ints_or("axes", {});
  if (const Tensor* given = qdq::fixed_constant(graph_, index_, node->input(1))) axes = to_vector<int64_t>(*given);
  const TensorType& type = graph_.value(x).type;
  return axes == std::vector<int64_t>{-1} || (type.ranked() && axes == std::vector<int64_t>{type.rank() - 1});
}

std::optional<Source> Matcher::rows(ValueId codes) const {
  const Node* cast = made_by(codes, "Cast");
  if (!casts_to(cast, DType::UInt8)) return std::nullopt;
  const Node* add = made_by(clipped(cast->input(0)), "Add");
  const Node* round = add == nullptr ? nullptr : made_by(add->input(0), "Round");
  const Node* divide = round == nullptr ? nullptr : made_by(round->input(0), "Div");
  if (divide == nullptr) return std::nullopt;
  const Source source{divide->input(0), divide->input(1), add->input(1), DynamicRange::PerRow};

  const Node* width = made_by(beside(beside(source.scale, "Max", FLT_MIN), "Div", 255), "Sub");
  if (width == nullptr) return std::nullopt;
  const ValueId high = width->input(0), low = width->input(1);
  if (!reduces_rows(beside(high, "Max", 0), "ReduceMax", source.real)) return std::nullopt;
  if (!reduces_rows(beside(low, "Min", 0), "ReduceMin", source.real)) return std::nullopt;

  const Node* zero = made_by(clipped(source.zero), "Round");
  const Node* below = zero == nullptr ? nullptr : made_by(zero->input(0), "Div");
  const Node* negated = below == nullptr ? nullptr : made_by(below->input(0), "Neg");
  if (negated == nullptr || negated->input(0) != low || below->input(1) != source.scale) return std::nullopt;
  return source;
}

std::optional<Source> Matcher::source(ValueId codes, ValueId zero) const {
  const Node* linear = made_by(codes, "DynamicQuantizeLinear");
  if (linear != nullptr) {
    const bool whole = linear->output(0) == codes && linear->output(2) == zero && zero != ValueId::None;
    return whole ? std::optional(Source{linear->input(0), linear->output(1), zero}) : std::nullopt;
  }
  const Tensor* none = qdq::fixed_constant(graph_, index_, zero);
  const bool centred =
      zero == ValueId::None || (none != nullptr && none->size() == 1 && to_vector<int32_t>(*none)[0] == 0);
  return centred ? rows(codes) : std::nullopt;
}

}  // namespace halftone::dynamic_pattern
