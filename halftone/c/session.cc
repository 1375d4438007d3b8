#include <array>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "halftone/base/cpu.h"
#include "halftone/c/guard.h"
#include "halftone/runtime/session.h"

struct halftone_team {
  std::shared_ptr<halftone::ThreadTeam> team;
};

struct halftone_session {
  // Ports as C sees them; they point into each other and into the session's.
  struct Ports {
    std::vector<halftone_port> inputs, outputs;
    std::vector<std::vector<int64_t>> dims;
  };
  halftone::Session session;
  std::shared_ptr<const Ports> ports;
};

namespace halftone::c {
namespace {

using Ports = halftone_session::Ports;

halftone_port make_port(const Session::Port& port, Ports& ports) {
  halftone_port made{};
  made.name = port.name.c_str();
  made.dtype = static_cast<halftone_dtype>(port.type.dtype);
  made.rank = port.type.ranked() ? static_cast<int32_t>(port.type.rank()) : -1;
  if (port.type.ranked()) {
    std::vector<int64_t>& dims = ports.dims.emplace_back();
    for (const Dim& dim : *port.type.shape) dims.push_back(dim.value);
    made.dims = dims.data();
  }
  if (port.grid) {
    made.code_dtype = static_cast<halftone_dtype>(port.grid->dtype);
    made.scale = port.grid->scale;
    made.zero_point = port.grid->zero_point;
    made.code_min = port.grid->low;
    made.code_max = port.grid->high;
  }
  return made;
}

halftone_session* make_handle(Session session) {
  auto ports = std::make_shared<Ports>();
  for (const Session::Port& port : session.inputs()) ports->inputs.push_back(make_port(port, *ports));
  for (const Session::Port& port : session.outputs()) ports->outputs.push_back(make_port(port, *ports));
  return new halftone_session{std::move(session), std::move(ports)};
}

std::shared_ptr<ThreadTeam> make_team(int32_t threads) {
  constexpr int32_t kMostThreads = 1024;
  if (threads < 0 || threads > kMostThreads) {
    fail(ErrorCode::InvalidArgument, "threads", "a number from 0 to {} is required, found {}", kMostThreads, threads);
  }
  return std::make_shared<ThreadTeam>(threads == 0 ? available_cores() : threads);
}

SessionOptions make_options(const halftone_options* given) {
  halftone_options options = HALFTONE_OPTIONS_INIT;
  if (given != nullptr) {
    if (given->size != sizeof(halftone_options)) {
      fail(ErrorCode::InvalidArgument, "options", "must have a size of {} bytes, found {}; use HALFTONE_OPTIONS_INIT",
           sizeof(halftone_options), given->size);
    }
    options = *given;
  }
  if (options.requantize != HALFTONE_REQUANTIZE_FLOAT && options.requantize != HALFTONE_REQUANTIZE_DYADIC) {
    fail(ErrorCode::InvalidArgument, "options", "requantize must be 0 or 1, found {}",
         static_cast<int>(options.requantize));
  }
  SessionOptions made;
  made.team = options.team != nullptr ? options.team->team : make_team(options.threads);
  made.requantize = options.requantize == HALFTONE_REQUANTIZE_DYADIC ? RequantizeMode::Dyadic : RequantizeMode::Float;
  return made;
}

std::span<const int64_t> dims_of(const halftone_tensor& tensor, size_t index) {
  // ONNX knows no limit; this one keeps a damaged structure from being read far beyond its end.
  constexpr int32_t kMostDims = 64;
  if (tensor.rank < 0 || tensor.rank > kMostDims || (tensor.rank > 0 && tensor.dims == nullptr)) {
    fail(ErrorCode::InvalidArgument, "run", "input {} must have a rank from 0 to {} and dims, found rank {}{}", index,
         kMostDims, tensor.rank, tensor.dims == nullptr ? " and a null pointer" : "");
  }
  return {tensor.dims, static_cast<size_t>(tensor.rank)};
}

// Elements on the stack, unless there are very many.
template <typename T>
class Few {
 public:
  explicit Few(size_t count) : count_(count) {
    if (count > few_.size()) many_.resize(count);
  }
  T& operator[](size_t i) { return many_.empty() ? few_[i] : many_[i]; }
  std::span<const T> all() const { return {many_.empty() ? few_.data() : many_.data(), count_}; }

 private:
  size_t count_;
  std::array<T, 8> few_{};
  std::vector<T> many_;
};

void check_list(const void* list, size_t count, std::string_view name) {
  if (list == nullptr && count > 0) fail(ErrorCode::InvalidArgument, name, "{} are announced, found null", count);
}

void run(const Session& session, std::span<const halftone_tensor> inputs, std::span<const halftone_buffer> outputs) {
  Few<TensorView> views(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto* data = static_cast<const std::byte*>(inputs[i].data);
    views[i] = {static_cast<DType>(inputs[i].dtype), dims_of(inputs[i], i), {data, inputs[i].bytes}};
  }
  Few<TensorBuffer> buffers(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto* data = static_cast<std::byte*>(outputs[i].data);
    buffers[i] = {static_cast<DType>(outputs[i].dtype), {data, outputs[i].bytes}};
  }
  session.run(views.all(), buffers.all());
}

void prepare(const Session& session, std::span<const halftone_tensor> inputs, size_t output, int64_t* dims,
             int32_t* rank) {
  if (!inputs.empty() && inputs.size() != session.inputs().size()) {
    fail(ErrorCode::InvalidArgument, "inputs", "none or all {} are required, found {}", session.inputs().size(),
         inputs.size());
  }
  Session::InputShapes shapes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::span<const int64_t> shape = dims_of(inputs[i], i);
    shapes.emplace(session.inputs()[i].name, Shape(shape.begin(), shape.end()));
  }
  if (output >= session.outputs().size()) {
    fail(ErrorCode::InvalidArgument, "output", "the network has {}, found index {}", session.outputs().size(), output);
  }
  const std::optional<Shape> shape = session.prepare(shapes)[output];
  if (!shape) {
    fail(ErrorCode::Unsupported, "output", "the shape of '{}' is unknown until it is computed",
         session.outputs()[output].name);
  }
  const auto wanted = static_cast<int32_t>(shape->size());
  if (*required(rank, "rank") < wanted) {
    fail(ErrorCode::InvalidArgument, "rank", "room for {} dimensions is required, found {}", wanted, *rank);
  }
  if (wanted > 0) std::copy(shape->begin(), shape->end(), required(dims, "dims"));
  *rank = wanted;
}

const halftone_port* port_at(const std::vector<halftone_port>& ports, size_t index) {
  return index < ports.size() ? &ports[index] : nullptr;
}

}  // namespace
}  // namespace halftone::c

using namespace halftone::c;

halftone_status halftone_team_create(int32_t threads, halftone_team** team) {
  return guarded([&] { *required(team, "team") = new halftone_team{make_team(threads)}; });
}
void halftone_team_release(halftone_team* team) { delete team; }

halftone_status halftone_session_load(const char* path, const halftone_options* options, halftone_session** session) {
  return guarded([&] {
    required(session, "session");
    *session =
        make_handle(halftone::Session::load(std::filesystem::path(required(path, "path")), make_options(options)));
  });
}

halftone_status halftone_session_load_memory(const void* data, size_t bytes, const halftone_options* options,
                                             halftone_session** session) {
  return guarded([&] {
    required(session, "session");
    const std::span content(static_cast<const std::byte*>(required(data, "data")), bytes);
    *session = make_handle(halftone::Session::load(content, make_options(options)));
  });
}

halftone_status halftone_session_share(const halftone_session* session, const halftone_team* team,
                                       halftone_session** shared) {
  return guarded([&] {
    required(session, "session");
    required(shared, "shared");
    *shared = team == nullptr ? new halftone_session(*session)
                              : new halftone_session{session->session.with_team(team->team), session->ports};
  });
}

void halftone_session_release(halftone_session* session) { delete session; }

size_t halftone_session_input_count(const halftone_session* session) {
  return session == nullptr ? 0 : session->ports->inputs.size();
}
size_t halftone_session_output_count(const halftone_session* session) {
  return session == nullptr ? 0 : session->ports->outputs.size();
}
const halftone_port* halftone_session_input(const halftone_session* session, size_t index) {
  return session == nullptr ? nullptr : port_at(session->ports->inputs, index);
}
const halftone_port* halftone_session_output(const halftone_session* session, size_t index) {
  return session == nullptr ? nullptr : port_at(session->ports->outputs, index);
}

const char* halftone_session_metadata(const halftone_session* session, const char* key) {
  if (session == nullptr || key == nullptr) return nullptr;
  const auto& metadata = session->session.metadata();
  const auto found = metadata.find(key);
  return found == metadata.end() ? nullptr : found->second.c_str();
}

halftone_status halftone_session_prepare(const halftone_session* session, const halftone_tensor* inputs,
                                         size_t input_count, size_t output, int64_t* dims, int32_t* rank) {
  return guarded([&] {
    required(session, "session");
    check_list(inputs, input_count, "inputs");
    prepare(session->session, {inputs, input_count}, output, dims, rank);
  });
}

halftone_status halftone_session_run(const halftone_session* session, const halftone_tensor* inputs, size_t input_count,
                                     const halftone_buffer* outputs, size_t output_count) {
  return guarded([&] {
    required(session, "session");
    check_list(inputs, input_count, "inputs");
    check_list(outputs, output_count, "outputs");
    run(session->session, {inputs, input_count}, {outputs, output_count});
  });
}
