// Times a model on request, so that benchmarks/peers/latency.py can take turns with other runtimes.
//
//   halftone_latency MODEL THREADS [BATCH]
//
// Prints "ready LOAD_MS" (import, lowering and the first run), then obeys lines on standard input:
//   run N           prints the milliseconds of N runs
//   output IN OUT   runs raw floats from IN (all inputs, one after the other), writes the first output's floats to OUT
//   profile N       prints microseconds per step on one thread, the least of N runs
//   peak            prints the peak resident memory of the process in MiB
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include "halftone/base/file.h"
#include "halftone/base/process.h"
#include "halftone/runtime/freeze.h"
#include "halftone/runtime/load_model.h"
#include "halftone/runtime/lowering.h"
#include "halftone/runtime/session.h"

namespace {

using namespace halftone;

double since_ms(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

Shape with_batch(const TensorType& type, int64_t batch) {
  Shape shape;
  for (const Dim& dim : *type.shape) shape.push_back(dim.known() ? dim.value : batch);
  return shape;
}

TensorMap make_inputs(const Session& session, int64_t batch, std::istream* source) {
  TensorMap inputs;
  for (const Session::Port& port : session.inputs()) {
    Tensor tensor(DType::Float, with_batch(port.type, batch));
    const std::span<float> elements = tensor.mutable_data<float>();
    for (size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<float>(i * 7 % 251) / 251.0f;
    if (source != nullptr) {
      source->read(reinterpret_cast<char*>(elements.data()), static_cast<std::streamsize>(elements.size_bytes()));
    }
    inputs.emplace(port.name, std::move(tensor));
  }
  return inputs;
}

void profile(const std::string& path, const TensorMap& inputs, int threads, int rounds) {
  const runtime::FrozenModel frozen = runtime::freeze(load_model(path).model, {}, RequantizeMode::Float);
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : inputs) shapes.emplace(name, tensor.shape());
  runtime::ConstantStore constants;
  runtime::LoweringOptions options;
  options.threads = threads;
  const auto program = runtime::lower(frozen, shapes, options, constants);
  runtime::Execution execution(program);
  for (size_t i = 0; i < program->inputs.size(); ++i) {
    execution.inputs()[i].data = inputs.at(program->inputs[i]).bytes().data();
  }
  std::vector<Tensor> outputs;
  for (const runtime::Program::Output& output : program->outputs) outputs.emplace_back(output.dtype, output.shape);
  for (size_t i = 0; i < outputs.size(); ++i) execution.outputs()[i].data = outputs[i].mutable_bytes().data();
  const std::vector<double> times = execution.profile(rounds);
  std::vector<std::string> kernels(times.size());
  for (const NodeNote& note : program->notes) {
    for (int i = 0; i < note.step_count; ++i) {
      kernels[static_cast<size_t>(note.first_step + i)] = note.rule + " " + note.kernel + " " + note.isa;
    }
  }
  double total = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    total += times[i];
    std::cout << fmt::format("{:9.2f} us  {:2} parts  {:44} {}\n", times[i], program->parts[i], program->steps[i].name,
                             kernels[i]);
  }
  std::cout << fmt::format("{:9.2f} us  total, arena {} KiB", total, program->arena_bytes / 1024) << std::endl;
}

int serve(const std::string& path, int threads, int64_t batch) {
  const auto begin = std::chrono::steady_clock::now();
  SessionOptions options;
  options.threads = threads;
  const Session session = Session::load(path, options);
  const TensorMap inputs = make_inputs(session, batch, nullptr);
  static_cast<void>(session.run(inputs));
  const double ready_ms = since_ms(begin);
  std::vector<TensorView> views;
  Session::InputShapes shapes;
  for (const Session::Port& port : session.inputs()) {
    views.push_back(view_of(inputs.at(port.name)));
    shapes.emplace(port.name, inputs.at(port.name).shape());
  }
  std::vector<Tensor> results;
  for (const std::optional<Shape>& shape : session.prepare(shapes)) results.emplace_back(DType::Float, shape.value());
  std::vector<TensorBuffer> buffers;
  for (Tensor& result : results) buffers.push_back(buffer_of(result.mutable_data<float>()));
  std::cout << "ready " << ready_ms << std::endl;

  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command, from, to;
    int count = 0;
    words >> command;
    if (command == "run" && words >> count) {
      for (int i = 0; i < count; ++i) {
        const auto start = std::chrono::steady_clock::now();
        session.run(views, buffers);
        std::cout << since_ms(start) << ' ';
      }
      std::cout << std::endl;
    } else if (command == "output" && words >> from >> to) {
      std::ifstream source(from, std::ios::binary);
      const TensorMap outputs = session.run(make_inputs(session, batch, &source));
      const auto bytes = outputs.at(session.outputs().front().name).bytes();
      write_file(to, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      std::cout << "done" << std::endl;
    } else if (command == "profile" && words >> count) {
      profile(path, inputs, threads, count);
    } else if (command == "peak") {
      std::cout << peak_rss_mib() << std::endl;
    } else {
      std::cout << "unknown command" << std::endl;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: halftone_latency MODEL THREADS [BATCH]\n";
    return 2;
  }
  try {
    return serve(argv[1], std::atoi(argv[2]), argc > 3 ? std::atoi(argv[3]) : 1);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
