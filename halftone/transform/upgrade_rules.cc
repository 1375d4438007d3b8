#include "halftone/transform/upgrade_rules.h"

namespace halftone::upgrade_rules {
namespace {

// Moves an attribute of integers to input `position`; nothing to do where the node lacks it.
void integers_to_input(Upgrader& u, Node& node, std::string_view attribute, size_t position) {
  if (node.find_attribute(attribute) == nullptr) return;
  const std::vector<int64_t> values = node.ints_or(attribute, {});
  node.remove_attribute(attribute);
  if (node.inputs.size() <= position) node.inputs.resize(position + 1, ValueId::None);
  node.inputs[position] = u.integers(node, attribute, values);
}

}  // namespace

// Since 9 statistics are always per channel, which spatial = 1 meant.
void drop_spatial(Upgrader& u, Node node) {
  if (node.int_or("spatial", 1) != 1) u.refuse(node, "spatial = 0 has no successor in newer operator sets");
  node.remove_attribute("spatial");
  u.emit(std::move(node));
}

// 7: attribute scales, 9: input scales. Output o reads floor(o / scale), or interpolates at o / scale.
void upsample_to_resize(Upgrader& u, Node node) {
  if (node.find_attribute("scales") != nullptr) {
    const std::vector<float> scales = node.floats_or("scales", {});
    node.remove_attribute("scales");
    node.inputs.resize(1);
    node.inputs.push_back(u.add_constant(node, "scales", Tensor::from({static_cast<int64_t>(scales.size())}, scales)));
  }
  node.op_type = "Resize";
  // As opset 10 wrote it; the change of 11 comes next.
  u.emit(std::move(node));
}

void slice_attributes(Upgrader& u, Node node) {
  integers_to_input(u, node, "starts", 1);
  integers_to_input(u, node, "ends", 2);
  integers_to_input(u, node, "axes", 3);
  u.emit(std::move(node));
}

void top_k_attribute(Upgrader& u, Node node) {
  if (node.find_attribute("k") != nullptr) {
    const int64_t k = node.int_or("k", 0);
    node.remove_attribute("k");
    node.inputs.resize(1);
    node.inputs.push_back(u.integers(node, "k", {k}));
  }
  u.emit(std::move(node));
}

void clip_attributes(Upgrader& u, Node node) {
  size_t position = 1;
  for (const char* bound : {"min", "max"}) {
    if (node.find_attribute(bound) != nullptr) {
      const float value = node.float_or(bound, 0);
      node.remove_attribute(bound);
      node.inputs.resize(position + 1, ValueId::None);
      node.inputs[position] = u.scalar(node, bound, value);
    }
    ++position;
  }
  u.emit(std::move(node));
}

void pad_attributes(Upgrader& u, Node node) {
  const float value = node.float_or("value", 0);
  node.remove_attribute("value");
  integers_to_input(u, node, "pads", 1);
  if (value != 0 && node.string_or("mode", "constant") == "constant") {
    node.inputs.resize(3, ValueId::None);
    node.inputs[2] = u.scalar(node, "value", value);
  }
  u.emit(std::move(node));
}

// 10: X, scales, at asymmetric coordinates; 11 put roi between the two and made half_pixel the default.
void old_resize(Upgrader& u, Node node) {
  if (node.inputs.size() != 2) u.refuse(node, "X and scales are required, found {} inputs", node.inputs.size());
  node.inputs = {node.inputs[0], ValueId::None, node.inputs[1]};
  node.set_attribute("coordinate_transformation_mode", std::string("asymmetric"));
  if (node.string_or("mode", "nearest") == "nearest") node.set_attribute("nearest_mode", std::string("floor"));
  u.emit(std::move(node));
}

void scatter_to_scatter_elements(Upgrader& u, Node node) {
  node.op_type = "ScatterElements";
  u.emit(std::move(node));
}

// Without training mode, which 12 added, Dropout hands its input on; the ratio says nothing.
void drop_ratio(Upgrader& u, Node node) {
  if (node.output(1) != ValueId::None) u.refuse(node, "its mask has no successor in newer operator sets");
  node.remove_attribute("ratio");
  node.outputs.resize(1);
  u.emit(std::move(node));
}

// Before 13: softmax over all dimensions from `axis` (default 1) on, as one. Since then: over `axis` alone.
void flattening_softmax(Upgrader& u, Node node) {
  const int64_t rank = u.rank(node.input(0));
  int64_t axis = node.int_or("axis", 1);
  if (rank >= 0 && axis < 0) axis += rank;
  if (axis == -1 || axis + 1 == rank) {
    node.set_attribute("axis", int64_t{-1});
    u.emit(std::move(node));
    return;
  }
  Node shape, flatten, reshape;
  const ValueId x = node.input(0), y = node.output(0);
  const ValueId dims = u.add_value(node, "shape"), rows = u.add_value(node, "rows"), flat = u.add_value(node, "flat");
  shape.name = node.name + "_Shape";
  shape.op_type = "Shape";
  shape.inputs = {x};
  shape.outputs = {dims};
  flatten.name = node.name + "_Flatten";
  flatten.op_type = "Flatten";
  flatten.inputs = {x};
  flatten.outputs = {rows};
  flatten.set_attribute("axis", axis);
  reshape.name = node.name + "_Reshape";
  reshape.op_type = "Reshape";
  reshape.inputs = {flat, dims};
  reshape.outputs = {y};
  node.inputs = {rows};
  node.outputs = {flat};
  node.set_attribute("axis", int64_t{-1});
  u.emit(std::move(shape));
  u.emit(std::move(flatten));
  u.emit(std::move(node));
  u.emit(std::move(reshape));
}

void axes_attribute(Upgrader& u, Node node) {
  integers_to_input(u, node, "axes", 1);
  u.emit(std::move(node));
}

void split_attribute(Upgrader& u, Node node) {
  integers_to_input(u, node, "split", 1);
  u.emit(std::move(node));
}

// Equal parts, which 18 wants to be counted.
void count_split_outputs(Upgrader& u, Node node) {
  if (node.input(1) == ValueId::None) node.set_attribute("num_outputs", static_cast<int64_t>(node.outputs.size()));
  u.emit(std::move(node));
}

// Up to 13, more than one output meant training.
void only_inference(Upgrader& u, Node node) {
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != ValueId::None)
      u.refuse(node, "it is in training mode, which newer operator sets say otherwise");
  }
  node.outputs.resize(1);
  u.emit(std::move(node));
}

// Before 16 coordinates were not shifted by half a pixel.
void old_roi_align(Upgrader& u, Node node) {
  node.set_attribute("coordinate_transformation_mode", std::string("output_half_pixel"));
  u.emit(std::move(node));
}

void grid_sample_modes(Upgrader& u, Node node) {
  const std::string mode = node.string_or("mode", "bilinear");
  node.set_attribute("mode", std::string(mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode));
  u.emit(std::move(node));
}

void no_equivalent(Upgrader& u, Node node) {
  u.refuse(node, "{} changed its operands, and a newer operator set is required", node.op_type);
}

}  // namespace halftone::upgrade_rules
