// Networks that begin from nothing: content for the parameters that have none, or new content for all of them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "halftone/graph/graph.h"
#include "halftone/transform/parameters.h"

namespace halftone::transform {

enum class InitMethod {
#define HT_INIT_METHOD(enumerator, name, summary, source) enumerator,
#include "halftone/transform/init_methods.def"
#undef HT_INIT_METHOD
};

struct InitMethodInfo {
  InitMethod method;
  std::string_view name, summary, source;
};
// The lines of init_methods.def.
std::span<const InitMethodInfo> all_init_methods();
// Errors: Error{InvalidArgument} for an unknown name, with the nearest known one.
InitMethod parse_init_method(std::string_view name);

struct Initialization {
  InitMethod method = InitMethod::He;
  uint64_t seed = 0;
  Parameters which = Parameters::Missing;
};

// What the elements of a parameter are drawn from.
struct Draw {
  enum class Kind {
    Constant,  // `size` itself
    Normal,    // of mean 0 and standard deviation `size`
    Uniform,   // from -size to size
  };
  Kind kind = Kind::Constant;
  double size = 0;
};

// He: weights are normal with the variance gain^2 / fan_in (He et al. 2015, equation 10, where the gain of Relu is the
// root of 2). Xavier: uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 16). With both,
// tables are normal with the deviation 0.02 (Devlin et al. 2019, appendix A.2 has it for all of a transformer's),
// slopes of PRelu 0.25 (He et al. 2015, section 2.2), scales and variances 1, shifts, biases and means 0.
Draw draw_of(const Parameter& parameter, InitMethod method);

// Fills in the parameters of `graph` (parameters.h says what they are), which are no inputs any more. What else there
// is stays. A parameter's content depends on the seed, its name, its shape and its place in the network; not on the
// order of the nodes, nor on other parameters. Errors: Error{InvalidModel} as find_parameters and infer_shapes;
// Error{Unsupported} for more than 2^29 numbers in all. Cost: O(nodes + numbers).
Graph initialize(Graph graph, const Initialization& how = {});

}  // namespace halftone::transform
