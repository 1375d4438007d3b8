#include "halftone/runtime/compiled.h"

#include <array>
#include <fstream>

#include "halftone/base/cpu.h"
#include "halftone/onnx/onnx.h"
#include "halftone/runtime/sealed_file.h"

namespace halftone {

// What is stored of each type, in order, for both directions (archive.h).
template <typename A>
static void fields(A& a, QuantParams& p) {
  a(p.dtype, p.q_min, p.q_max, p.scale, p.zero_point, p.axis, p.block_size, p.levels, p.channel_bits);
}
template <typename A>
static void fields(A& a, QuantSpec& s) {
  a(s.bits, s.is_signed, s.symmetric, s.narrow_range, s.granularity, s.block_size, s.observer, s.group_size, s.grid,
    s.rounding);
}
template <typename A>
static void fields(A& a, Encoding& e) {
  a(e.params, e.spec);
}
template <typename A>
static void fields(A& a, Grid& g) {
  a(g.dtype, g.scale, g.zero_point, g.low, g.high);
}
template <typename A>
static void fields(A& a, DyadicSum& s) {
  a(s.multiplier_a, s.multiplier_b, s.shift);
}
template <typename A>
static void fields(A& a, IntegerOutput& o) {
  a(o.value, o.grid, o.low, o.high, o.multipliers, o.mode);
}
template <typename A>
static void fields(A& a, IntegerNode& n) {
  a(n.form, n.node, n.activation, n.outputs, n.inputs, n.weights, n.weight_zero_points, n.weight_axis, n.bias,
    n.constant, n.constant_input, n.dyadic_sum, n.axes, n.keep_axes, n.dynamic, n.real_bias, n.pad_code);
}

namespace runtime {
namespace {

constexpr FileKind kCompiled = {{'H', 'T', 'P', 'R', 'O', 'G', '1', '\n'},
                                {"the compiled program", "compile the model again"}};

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

// Weights that integer nodes alone read are gone from a frozen graph. In the file they are inputs without content, so
// that the ONNX part contradicts nothing.
std::vector<ValueId> missing_operands(const Graph& graph) {
  const GraphIndex index(graph);
  std::vector<ValueId> missing;
  for (ValueId id : graph.live_values()) {
    const Value& value = graph.value(id);
    if (!value.constant && index.producer(id) < 0 && !index.is_graph_input(id)) missing.push_back(id);
  }
  return missing;
}

template <typename A>
void tables(A& a, FrozenModel& frozen) {
  a(frozen.model.encodings, frozen.model.dynamic, frozen.integers, frozen.refusals, frozen.keep);
}

}  // namespace

bool is_compiled(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kCompiled.magic.size()> begin{};
  return file.read(begin.data(), begin.size()) && begin == kCompiled.magic;
}

void save_compiled(const FrozenModel& frozen, const ConstantStore& constants, RequantizeMode mode,
                   const std::filesystem::path& path) {
  FrozenModel copy = frozen;
  Graph& graph = copy.model.graph;
  const std::vector<ValueId> missing = missing_operands(graph);
  graph.inputs().insert(graph.inputs().end(), missing.begin(), missing.end());

  Writer writer;
  writer.graph = &graph;
  writer(std::string(HALFTONE_VERSION), std::string(name_of(isa_level())), mode, missing.size());
  writer.block(as_bytes(onnx::serialize_model(graph)));
  tables(writer, copy);
  const std::map<std::string, ConstantStore::Constant> blobs = constants.snapshot();
  writer(blobs.size());
  for (const auto& [name, blob] : blobs) {
    writer(name);
    writer.block({blob.content.get(), blob.bytes});
  }

  write_sealed(kCompiled, writer, path);
}

Compiled load_compiled(const std::filesystem::path& path, ConstantStore& constants) {
  Reader reader = open_sealed(kCompiled, path);
  std::string version, isa;
  Compiled compiled;
  size_t missing = 0;
  reader(version, isa);
  if (version != HALFTONE_VERSION) {
    fail(ErrorCode::Unsupported, path.string(),
         "the program was compiled by Halftone {}, this is {}; compile the model again", version, HALFTONE_VERSION);
  }
  if (isa != name_of(isa_level())) {
    fail(ErrorCode::Unsupported, path.string(),
         "the program was compiled for {}, this processor runs {}; compile the model on this machine", isa,
         name_of(isa_level()));
  }
  reader(compiled.mode, missing);
  Graph& graph = compiled.frozen.model.graph;
  graph = onnx::import_model(reader.block());
  if (missing > graph.inputs().size()) reader.refuse("operands are missing");
  graph.inputs().resize(graph.inputs().size() - missing);
  reader.graph = &graph;
  tables(reader, compiled.frozen);
  size_t count = 0;
  reader(count);
  for (size_t i = 0; i < count; ++i) {
    std::string name;
    reader(name);
    const std::span<const std::byte> blob = reader.block();
    constants.add(name, {std::shared_ptr<const std::byte>(reader.keep_alive(), blob.data()), blob.size()});
  }
  return compiled;
}

}  // namespace runtime
}  // namespace halftone
