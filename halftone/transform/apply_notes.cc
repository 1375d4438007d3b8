#include "halftone/transform/apply_notes.h"

#include <algorithm>
#include <set>

#include "halftone/tensor/packing.h"
#include "halftone/transform/code_bounds.h"
#include "halftone/transform/qdq_params.h"

namespace halftone {
namespace {

bool contains(int64_t low, int64_t high, int64_t q) { return low <= q && q <= high; }

// The grid of the file with what a note says of it; nullopt when it says nothing, or what can't be.
std::optional<QuantParams> noted_params(const QuantParams& filed, const EncodingNote& note) {
  if (!note.codes) return std::nullopt;
  QuantParams params = filed;
  std::tie(params.q_min, params.q_max) = *note.codes;
  params.channel_bits = note.channel_bits;
  const bool is_signed = is_signed_integer(params.dtype);
  const int bits = code_bits(params);
  if (params.q_min >= params.q_max || (bits > 16 && !note.dtype)) return std::nullopt;
  params.dtype = note.dtype ? *note.dtype : storage_type(bits, is_signed);
  if (!is_integer(params.dtype) || bits_of(params.dtype) > 32 || is_signed_integer(params.dtype) != is_signed) {
    return std::nullopt;
  }
  const auto [low, high] = range_of(params.dtype);
  if (!contains(low, high, params.q_min) || !contains(low, high, params.q_max)) return std::nullopt;
  if (!params.levels.empty() && (params.q_max != filed.q_max || !params.channel_bits.empty())) return std::nullopt;
  const bool by_channel = !params.channel_bits.empty();
  if (by_channel && (params.per_tensor() || params.block_size > 0)) return std::nullopt;
  if (by_channel && params.channel_bits.size() != params.scale.size()) return std::nullopt;
  for (size_t i = 0; i < params.scale.size(); ++i) {
    if (by_channel && !contains(0, bits_of(params.dtype), params.channel_bits[i])) return std::nullopt;
    const CodeRange codes = by_channel ? channel_codes(params, i) : CodeRange{low, high};
    if (!contains(codes.low, codes.high, params.zero_point[i])) return std::nullopt;
  }
  return params;
}

// Do both grids make the same of a constant? Mostly it lies on the noted one, which is quick to see.
bool agree_on(const Tensor& constant, const QuantParams& filed, const QuantParams& noted) {
  const Tensor rounded = fake_quantize(constant, noted);
  return rounded.same_as(constant) || rounded.same_as(fake_quantize(constant, filed));
}

class NoteReader {
 public:
  NoteReader(QuantizedModel& model, const EncodingNotes& notes) : model_(model), notes_(notes) {}

  void read() {
    remove_bounds();
    for (auto& [name, encoding] : model_.encodings) {
      const auto found = notes_.values.find(name);
      if (found == notes_.values.end()) continue;
      encoding.spec = found->second.spec;
      const ValueId id = model_.graph.find(name);
      if (id == ValueId::None || !model_.graph.value(id).constant) continue;
      const std::optional<QuantParams> noted = noted_params(encoding.params, found->second);
      if (noted && agree_on(*model_.graph.value(id).constant, encoding.params, *noted)) encoding.params = *noted;
    }
    model_.float_reasons.insert(notes_.float_reasons.begin(), notes_.float_reasons.end());
  }

 private:
  // What stands in front of a QuantizeLinear, as write_bounds has it.
  struct Bounds {
    std::string stem;  // of the names of its nodes
    ValueId in, low, high, out;
    ValueId between = ValueId::None;  // of Max and Min
    int first;                        // position of the node that reads `in`
  };

  std::optional<Bounds> bounds_at(const GraphIndex& index, size_t position) const {
    const std::vector<Node>& nodes = model_.graph.nodes();
    const Node& last = nodes[position];
    const auto named = [](const Node& node, std::string_view op, std::string_view suffix, size_t inputs) {
      return node.is(op) && node.inputs.size() == inputs && node.name.ends_with(suffix);
    };
    if (named(last, "Clip", "_Clip", 3)) {
      return Bounds{qdq::strip_suffix(last.name, "_Clip"),
                    last.inputs[0],
                    last.inputs[1],
                    last.inputs[2],
                    last.outputs[0],
                    ValueId::None,
                    static_cast<int>(position)};
    }
    if (!named(last, "Min", "_Min", 2) || last.inputs[0] == ValueId::None) return std::nullopt;
    const int before = index.producer(last.inputs[0]);
    if (before < 0 || index.sole_consumer(last.inputs[0]) != static_cast<int>(position)) return std::nullopt;
    const Node& first = nodes[static_cast<size_t>(before)];
    const std::string stem = qdq::strip_suffix(last.name, "_Min");
    if (!named(first, "Max", "_Max", 2) || first.name != stem + "_Max") return std::nullopt;
    return Bounds{stem, first.inputs[0], first.inputs[1], last.inputs[1], last.outputs[0], last.inputs[0], before};
  }

  // The value whose codes are bounded. Nodes are named after it, unless they stand for an Identity.
  std::string name_of(const Bounds& bounds) const {
    const std::string& result = model_.graph.value(bounds.out).name;
    for (const std::string& name : {result, qdq::strip_suffix(result, "_clipped")}) {
      if (notes_.values.contains(name)) return name;
    }
    return bounds.stem;
  }

  // Takes the bounds of insert_qdq into the encodings of what they bound.
  void remove_bounds() {
    std::set<ValueId> gone;
    for (size_t i = 0; i < model_.graph.nodes().size(); ++i) take_bounds(i, gone);
    if (gone.empty()) return;
    // Their outputs are nobody's any more.
    std::erase_if(model_.graph.nodes(), [&](const Node& node) { return gone.contains(node.output(0)); });
    model_.graph.remove_dead();
  }

  void take_bounds(size_t position, std::set<ValueId>& gone) {
    Graph& graph = model_.graph;
    if (!graph.nodes()[position].is("Clip") && !graph.nodes()[position].is("Min")) return;
    const GraphIndex index(graph);
    const std::optional<Bounds> bounds = bounds_at(index, position);
    if (!bounds) return;
    const std::string name = name_of(*bounds);
    const auto note = notes_.values.find(name);
    const Encoding* filed = find_encoding(model_, bounds->out);
    if (note == notes_.values.end() || filed == nullptr) return;
    const bool all_codes = !note->second.codes;
    const std::optional<QuantParams> noted = all_codes ? filed->params : noted_params(filed->params, note->second);
    if (!noted || noted->q_min < filed->params.q_min || noted->q_max > filed->params.q_max) return;
    const CodeBounds expected = bounds_of(*noted);
    if (!holds(index, bounds->low, expected.low) || !holds(index, bounds->high, expected.high)) return;
    Encoding encoding{*noted, filed->spec};
    const ValueId in = bounds->in, out = bounds->out, named = graph.find(name);
    const bool sole = index.sole_consumer(in) == bounds->first;
    if (find_encoding(model_, in) != nullptr && (named == out || named == ValueId::None)) {
      model_.encodings.erase(graph.value(out).name);
      if (named != out) graph.rename_value(out, name);
      Node& identity = graph.nodes()[position];
      identity.op_type = "Identity";
      identity.name = bounds->stem;
      identity.inputs = {in};
    } else if (named == in && sole && !index.is_graph_output(out)) {
      model_.encodings.erase(graph.value(out).name);
      graph.replace_uses(out, in);
      gone.insert(out);
    } else if (named == out && sole && index.producer(in) >= 0) {
      Node& producer = graph.nodes()[static_cast<size_t>(index.producer(in))];
      std::replace(producer.outputs.begin(), producer.outputs.end(), in, out);
      graph.nodes()[position].outputs = {in};
      gone.insert(in);
    } else {
      return;
    }
    if (bounds->between != ValueId::None) gone.insert(bounds->between);
    model_.encodings[name] = std::move(encoding);
  }

  bool holds(const GraphIndex& index, ValueId id, const std::vector<float>& expected) const {
    const Tensor* bound = qdq::fixed_constant(model_.graph, index, id);
    return bound != nullptr && bound->dtype() == DType::Float && to_vector<float>(*bound) == expected;
  }

  QuantizedModel& model_;
  const EncodingNotes& notes_;
};

}  // namespace

void apply_notes(QuantizedModel& model, const EncodingNotes& notes) { NoteReader(model, notes).read(); }

}  // namespace halftone
