#include "halftone/runtime/onednn.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "halftone/base/cpu.h"

// Of GNU OpenMP, which oneDNN brings along; its header is not every compiler's.
extern "C" {
int omp_get_max_threads(void);
void omp_set_num_threads(int);
}

namespace halftone::runtime {
namespace {

dnnl_cpu_isa_t isa_cap() {
  if (has_isa(Isa::Avx512Vnni)) return dnnl_cpu_isa_all;
  if (has_isa(Isa::Avx512)) return dnnl_cpu_isa_avx512_core;
  if (has_isa(Isa::AvxVnni)) return dnnl_cpu_isa_avx2_vnni;
  return has_isa(Isa::Avx2) ? dnnl_cpu_isa_avx2 : dnnl_cpu_isa_sse41;
}

// Threads run primitives at the same time; streams of the CPU engine hold no state, but each has its own anyway.
dnnl_stream_t thread_stream() {
  thread_local const dnnl::stream stream(engine());
  return stream.get();
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine cpu = [] {
    // Refused when the process has used oneDNN before us; its own choice then stands.
    static_cast<void>(dnnl_set_max_cpu_isa(isa_cap()));
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return cpu;
}

SingleThreadScope::SingleThreadScope() : before_(omp_get_max_threads()) {
  if (before_ != 1) omp_set_num_threads(1);
}

SingleThreadScope::~SingleThreadScope() {
  if (before_ != 1) omp_set_num_threads(before_);
}

void add_primitives(Lowering& lowering, const std::string& name, std::vector<PrimitivePart> parts) {
  std::vector<Operand> touched;
  for (PrimitivePart& part : parts) {
    const dnnl_memory_desc_t* wanted =
        dnnl_primitive_desc_query_md(part.primitive.get_primitive_desc(), dnnl_query_scratchpad_md, 0);
    if (const size_t bytes = wanted == nullptr ? 0 : dnnl_memory_desc_get_size(wanted); bytes > 0) {
      part.arguments.push_back({DNNL_ARG_SCRATCHPAD, dnnl::memory::desc(*wanted), {lowering.add_buffer(bytes), {}, 0}});
    }
    for (const PrimitivePart::Argument& argument : part.arguments) touched.push_back(argument.where);
  }
  const int count = static_cast<int>(parts.size());
  const auto shared = std::make_shared<const std::vector<PrimitivePart>>(std::move(parts));
  const auto bind = [shared](RunMemory& memory) -> Step::Work {
    struct Bound {
      dnnl_primitive_t primitive;
      std::vector<dnnl_exec_arg_t> arguments;
    };
    auto owners = std::make_shared<std::vector<dnnl::memory>>();
    auto bound = std::make_shared<std::vector<Bound>>();
    for (const PrimitivePart& part : *shared) {
      bound->push_back({part.primitive.get(), {}});
      for (const PrimitivePart::Argument& argument : part.arguments) {
        owners->emplace_back(argument.desc, engine(), memory.at(argument.where));
        bound->back().arguments.push_back({argument.kind, owners->back().get()});
      }
    }
    return [owners, bound, shared](int part) {
      const Bound& work = (*bound)[static_cast<size_t>(part)];
      const SingleThreadScope single;
      const dnnl_status_t status = dnnl_primitive_execute(
          work.primitive, thread_stream(), static_cast<int>(work.arguments.size()), work.arguments.data());
      HT_CHECK(status == dnnl_success, "oneDNN failed with status {}", static_cast<int>(status));
    };
  };
  lowering.add_step({name, count, bind}, touched);
}

dnnl::primitive_attr make_attributes(const dnnl::post_ops& post_ops) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(post_ops);
  return attributes;
}

dnnl::memory::desc flat_desc(int64_t count) {
  return {{count}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x};
}

dnnl::memory::format_tag blocked_tag() {
  using Tag = dnnl::memory::format_tag;
  if (blocks_are_pixels()) return Tag::nhwc;
  return vector_floats() == 16 ? Tag::nChw16c : Tag::nChw8c;
}

dnnl::memory::desc value_desc(const Shape& shape, Layout layout) {
  const Channels value = channels_of(shape);
  if (layout == Layout::Plain) {
    return {{value.n, value.c, value.s, 1}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::nchw};
  }
  return {{value.n, value.padded(), value.s, 1}, dnnl::memory::data_type::f32, blocked_tag()};
}

Operand pack(const float* data, const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  const SingleThreadScope single;
  const std::shared_ptr<std::byte> packed = allocate_constant(to.get_size());
  dnnl::memory source(from, engine(), const_cast<float*>(data));
  dnnl::memory target(to, engine(), packed.get());
  dnnl::stream stream(engine());
  dnnl::reorder(source, target).execute(stream, source, target);
  return {-1, packed, 0};
}

}  // namespace halftone::runtime
