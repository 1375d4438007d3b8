// oneDNN under the program's roof: primitives that run on the thread that calls them.
//
// Debian's oneDNN parallelizes with GNU OpenMP, whose barrier spins and stalls beside a busy neighbour. Here every
// primitive is created and run with an OpenMP team of one, so that it never meets that barrier; parallel work is
// several primitives on slices, run by our own ThreadTeam.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

const dnnl::engine& engine();

// Sets the calling thread's OpenMP team to one thread and restores it at the end.
class SingleThreadScope {
 public:
  SingleThreadScope();
  ~SingleThreadScope();
  SingleThreadScope(const SingleThreadScope&) = delete;
  SingleThreadScope& operator=(const SingleThreadScope&) = delete;

 private:
  int before_;
};

// One primitive and where its operands are.
struct PrimitivePart {
  struct Argument {
    int kind;  // DNNL_ARG_SRC ...
    dnnl::memory::desc desc;
    Operand where;
  };
  dnnl::primitive primitive;
  std::vector<Argument> arguments;
};

// Adds a step that runs the primitives, in any order. Each gets the scratchpad it asks for.
void add_primitives(Lowering& lowering, const std::string& name, std::vector<PrimitivePart> parts);

constexpr auto kFloat = dnnl::memory::data_type::f32;

// Attributes that every primitive of ours needs: the scratchpad is the program's.
dnnl::primitive_attr make_attributes(const dnnl::post_ops& post_ops = {});

// The description of float elements in order, e.g. for element-wise work on a slice.
dnnl::memory::desc flat_desc(int64_t count);
// A value of a Blocked place as 4 dimensions [n, padded c, s, 1] or a Plain one as [n, c, s, 1].
dnnl::memory::desc value_desc(const Shape& shape, Layout layout);
// The Blocked layout's format of four dimensions.
dnnl::memory::format_tag blocked_tag();

// `data` (as `from` describes it) in another format, as a constant.
Operand pack(const float* data, const dnnl::memory::desc& from, const dnnl::memory::desc& to);

inline Operand shifted(Operand operand, int64_t floats) {
  operand.offset += static_cast<size_t>(floats) * sizeof(float);
  return operand;
}

}  // namespace halftone::runtime
