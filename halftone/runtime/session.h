// The room `runtime`: a network lowered to a Program and run by a Session. It sees sim and transform.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/quant/encodings.h"
#include "halftone/quant/requantize.h"
#include "halftone/tensor/tensor_map.h"
#include "halftone/tensor/tensor_view.h"

namespace halftone {

struct SessionOptions {
  int threads = 1;                   // exact: the caller's thread and threads - 1 others; 0: available_cores()
  std::shared_ptr<ThreadTeam> team;  // share one team among sessions; overrides `threads`
  // Keep these values observable (see Session::run's tap); they are not fused away. Costs speed. What an integer node
  // makes before an activation that is part of its arithmetic does not exist and is not shown.
  std::vector<std::string> taps;
  // The tap is handed the codes of values that have an encoding (of its own type, e.g. int8) instead of real numbers.
  bool tap_codes = false;
  // How integer sums become codes (docs/quantization.md, section 4).
  RequantizeMode requantize = RequantizeMode::Float;
};

// How one node is computed.
struct NodeNote {
  std::string node;                   // operator and name
  std::vector<std::string> fused;     // nodes that are computed together with it
  std::string rule;                   // the line of lowerings.def or integer_lowerings.def that took it
  std::string kernel;                 // the kernel, where a rule has several
  std::string isa;                    // the instruction set that the kernel was written for
  std::string layout;                 // how the result lies in memory
  int parts = 1;                      // pieces that threads can take
  bool integers = false;              // computed on codes
  std::vector<std::string> refusals;  // rules and kernels that were preferred: "name: reason"
  std::string float_reason;           // why the node is not computed in integers, where one might expect it
  int first_step = 0, step_count = 0;
};

// Runs a network: the way in for programs that embed Halftone (C programs: halftone/c/halftone.h).
//
//   const Session session = Session::load("model.onnx");
//   std::vector<float> image(3 * 224 * 224), scores(1000);
//   const Shape shape = {1, 3, 224, 224};
//   const std::array inputs = {view_of<float>(image, shape)};
//   const std::array outputs = {buffer_of<float>(scores)};
//   session.run(inputs, outputs);
//
// The Program (fused layers, packed weights, memory plan) is built once per set of input shapes, when it is first
// needed, and kept; so is the memory of as many runs as were ever under way at once. Programs for other shapes share
// the packed weights. Programs for up to 8 sets of shapes are kept, the least recently used one goes first.
//
// Quantized values are held as codes and computed in integers wherever the plan says so (quant/integer_plan.h), bit for
// bit as the reference interpreter does; float layers run through oneDNN.
//
// Thread safety: everything const may be called from any number of threads at once. With one thread (the default) calls
// run side by side; calls that share a team of several threads take turns.
// Errors: Error{InvalidModel, Unsupported} when it is built or first run with new shapes, Error{InvalidArgument} that
// names the input or output for wrong arguments.
// Determinism: equal inputs give equal outputs for one thread count and instruction set; what is computed in integers
// depends on neither.
class Session {
 public:
  // Reads an ONNX file, or the bytes of one (which are not needed afterwards, and may not refer to external data); see
  // load_model. The file may also be a compiled program of save. Errors: Error{Io, InvalidModel, Unsupported}.
  static Session load(const std::filesystem::path& path, SessionOptions options = {});
  static Session load(std::span<const std::byte> bytes, SessionOptions options = {});

  // Writes a compiled program: the network and the constants that were packed for the input shapes of prepare or run so
  // far, whole or not at all. load maps it within milliseconds instead of packing, and keeps its requantize mode; other
  // input shapes still work. It fits this version of Halftone and this instruction-set level only; load refuses it
  // elsewhere. Float layers are packed when it is loaded. Errors: Error{Io}.
  void save(const std::filesystem::path& path) const;

  Session(QuantizedModel model, SessionOptions options = {});
  Session(Graph graph, SessionOptions options = {});

  // A copy is another handle of the same session: weights, programs, memory and thread team are shared, and live until
  // the last copy is gone. Copying costs nothing.
  Session(const Session&) = default;
  Session& operator=(const Session&) = default;
  // The same network and weights with a thread team of its own choice, e.g. one per worker of a server; programs are
  // built anew, weights are packed once for both.
  Session with_team(std::shared_ptr<ThreadTeam> team) const;

  // Names, types and shapes of what run needs and returns. Dimensions that the caller may choose are unknown or
  // symbols.
  struct Port {
    std::string name;
    TensorType type;
    // The grid of a value that is quantized as a whole to codes of 8 or 16 bits. Callers may hand in or take out its
    // codes (elements of grid->dtype) instead of real numbers, and save the conversion.
    std::optional<Grid> grid = {};
  };
  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;
  // What the model's file says beside the network, e.g. "halftone.preprocess".
  const std::map<std::string, std::string>& metadata() const;

  // Called from inside run with the content of each value of SessionOptions::taps, in execution order. The tensor
  // is valid during the call.
  using Tap = std::function<void(std::string_view name, const Tensor& value)>;

  // The simple form: inputs by name; returns the graph outputs by name.
  TensorMap run(const TensorMap& inputs, const Tap& tap = {}) const;

  // The form for embedders, on memory of the caller's: inputs in the order of inputs(), outputs in that of outputs().
  // A view's dtype is its port's, or that of the port's grid for codes; codes beyond the grid's bounds become the
  // nearest bound. Buffers of inputs and outputs must not overlap. After an exception the outputs hold anything.
  //
  // Allocates nothing once inputs of these shapes have been run by as many threads as there are now (or after prepare,
  // for one), except for nodes that explain() shows as computed by the reference, and for oneDNN, which takes and
  // frees some hundred bytes per float layer. Strings, and outputs whose shape is unknown until they are computed, need
  // the other form.
  void run(std::span<const TensorView> inputs, std::span<const TensorBuffer> outputs) const;

  // Shapes by input name; those that are fixed in the model may be left out.
  using InputShapes = std::map<std::string, Shape>;
  // Builds what a run with inputs of these shapes needs, so that the first is as fast as the others. Returns the shapes
  // of the outputs, in order; nullopt for those that depend on the inputs' content. Errors: Error{InvalidArgument} for
  // an unknown name, or a shape that is missing or doesn't fit.
  std::vector<std::optional<Shape>> prepare(const InputShapes& input_shapes = {}) const;
  // How each node is computed for inputs of these shapes. Errors: as prepare.
  std::vector<NodeNote> explain(const InputShapes& input_shapes = {}) const;

 private:
  struct Impl;
  explicit Session(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace halftone
